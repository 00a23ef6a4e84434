// heddle info: the GPU adapter of a host, its limits and features, and whether kernels use its subgroups and their
// matrices.

import { matrixUse, openDevice, subgroupUse } from '../gpu/device.ts';
import { type AdapterDescription, describeAdapter } from '../host/adapter-info.ts';
import type { Job } from '../runtime/job.ts';

/** An adapter, and which of its experimental parts kernels use. */
export interface InfoResult extends AdapterDescription {
  /** Whether kernels use its subgroups, and if not, why. */
  readonly subgroupKernels: string;
  /** Which subgroup matrices kernels can use, and if none, why. */
  readonly subgroupMatrices: string;
}

/** Describes the host's adapter. */
export const info: Job<Record<string, never>, InfoResult> = async (_, context) => {
  const gpu = await context.gpu();
  const adapter = await describeAdapter(gpu);
  const device = await openDevice(gpu);
  device.destroy();
  return { ...adapter, subgroupKernels: subgroupUse(device), subgroupMatrices: matrixUse(device) };
};
