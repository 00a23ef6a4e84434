// heddle info: the GPU adapter of a host, its limits and features, and whether kernels use its subgroups.

import { openDevice, subgroupUse } from '../gpu/device.ts';
import { type AdapterDescription, describeAdapter } from '../host/adapter-info.ts';
import type { Job } from '../runtime/job.ts';

/** Describes the host's adapter; `subgroupKernels` says whether kernels use its subgroups, and if not, why. */
export const info: Job<Record<string, never>, AdapterDescription & { readonly subgroupKernels: string }> = async (
  _,
  context,
) => {
  const gpu = await context.gpu();
  const adapter = await describeAdapter(gpu);
  const device = await openDevice(gpu);
  device.destroy();
  return { ...adapter, subgroupKernels: subgroupUse(device) };
};
