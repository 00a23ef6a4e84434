// heddle info: describes the GPU adapter of a host: limits, features, and whether kernels use subgroups and
// subgroup matrices.

import { matrixUse, openDevice, subgroupUse } from '../../engine/gpu/device.ts';
import { type AdapterDescription, describeAdapter } from '../../host/adapter-info.ts';
import type { Job } from '../../session/job.ts';

/** An adapter, and the experimental features of it that kernels use. */
export interface InfoResult extends AdapterDescription {
  /** Whether kernels use its subgroups; if not, the reason. */
  readonly subgroupKernels: string;
  /** The subgroup matrices that kernels can use; if none, the reason. */
  readonly subgroupMatrices: string;
}

/** Describes the host's adapter. */
export const info: Job<Record<string, never>, InfoResult> = async (_, session) => {
  const gpu = await session.device.gpu();
  const adapter = await describeAdapter(gpu);
  const device = await openDevice(gpu);
  device.destroy();
  return { ...adapter, subgroupKernels: subgroupUse(device), subgroupMatrices: matrixUse(device) };
};
