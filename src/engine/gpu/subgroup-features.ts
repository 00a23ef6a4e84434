// Subgroup features of a device: the sizes that a kernel can request, and matrix products in hardware.

import { hostOf } from '../../core/host-name.ts';
import type { MatrixConfig } from '../ops/device-traits.ts';
import { prefersSmallestSubgroup } from '../ops/vendor-preferences.ts';

/** The feature of subgroup matrices; experimental in Chromium, so `@webgpu/types` does not have it. */
export const matrixFeature = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;

/** GPUAdapterInfo with its experimental parts. */
interface SubgroupInfo extends Partial<GPUAdapterInfo> {
  readonly minExplicitComputeSubgroupSize?: number;
  readonly maxExplicitComputeSubgroupSize?: number;
  readonly subgroupMatrixConfigs?: readonly {
    readonly componentType: string;
    readonly resultComponentType: string;
    readonly M: number;
    readonly N: number;
    readonly K: number;
  }[];
}

/** The parts of a device that describe its subgroups. */
export interface SubgroupDevice extends Pick<GPUDevice, 'features'> {
  /** Without the fields that the browser leaves out; undefined in Safari 26. */
  readonly adapterInfo?: Partial<GPUAdapterInfo>;
}

/** The subgroup sizes that a kernel can ask for; undefined if it cannot ask, or if the sizes are unknown. */
export function explicitSubgroupSizes(
  device: SubgroupDevice,
): { readonly min: number; readonly max: number } | undefined {
  if (!device.features.has('subgroup-size-control')) return undefined;
  const info: SubgroupInfo | undefined = device.adapterInfo;
  if (!info) return undefined;
  return {
    min: info.minExplicitComputeSubgroupSize ?? info.subgroupMinSize ?? 0,
    max: info.maxExplicitComputeSubgroupSize ?? info.subgroupMaxSize ?? 0,
  };
}

/**
 * Threads of every subgroup of a kernel that requests this size, or of all kernels if the device has one size; 0
 * without subgroups, or if neither is so. Twice the smallest size, as Dawn requests on Vulkan: with 32 threads kernels
 * that scan rows spill on Intel's Gen12, whose smallest size is 8. At most 32 if the device has it.
 */
export function knownSubgroupSize(device: SubgroupDevice): number {
  if (!device.features.has('subgroups')) return 0;
  const sizes = explicitSubgroupSizes(device);
  if (sizes) return Math.min(Math.max(sizes.min, Math.min(2 * sizes.min, 32)), sizes.max);
  const { subgroupMinSize = 0, subgroupMaxSize } = device.adapterInfo ?? {};
  return subgroupMinSize === subgroupMaxSize ? subgroupMinSize : 0;
}

/**
 * `adapterInfo` of a device; undefined in Deno. Deno 2.9 crashes when it is read after the adapter was
 * garbage-collected, unless the adapter's own info was read before. There is no way to check that.
 */
export const deviceInfo = (device: SubgroupDevice): Partial<GPUAdapterInfo> | undefined =>
  hostOf().name === 'Deno' ? undefined : device.adapterInfo;

/**
 * Adapter info of a device that the caller has requested; undefined if it is unknown. `adapterInfo` of Dawn's
 * devices lacks the subgroup matrices, and a device does not give access to its adapter. So this returns the
 * info of the high-performance adapter of `openGpu` if its names are the same.
 */
export async function adapterInfoOf(
  device: SubgroupDevice,
  openGpu: () => Promise<GPU | undefined>,
): Promise<Partial<GPUAdapterInfo> | undefined> {
  const configs = ({ subgroupMatrixConfigs = [] }: SubgroupInfo) => subgroupMatrixConfigs.length;
  const own = deviceInfo(device);
  if (!own || !device.features.has(matrixFeature) || configs(own) > 0) return own;
  const info = (await (await openGpu())?.requestAdapter({ powerPreference: 'high-performance' }))?.info;
  const names = ['vendor', 'architecture', 'device', 'description'] as const;
  return info && names.every((name) => info[name] === own[name]) ? info : own;
}

/** Threads of a subgroup of matrix kernels if the vendor is not better off with the fewest. */
const usualLanes = 32;

/**
 * The matrix products of subgroups that kernels can use: operands f16 or f32, sums f32. None without the
 * feature, or if the subgroup size is neither fixed nor can be requested.
 */
export function matrixConfigsOf(device: SubgroupDevice): MatrixConfig[] {
  const { features } = device;
  if (!features.has(matrixFeature) || !features.has('subgroups')) return [];
  const info: SubgroupInfo = device.adapterInfo ?? {};
  const sizes = explicitSubgroupSizes(device);
  const fixed = info.subgroupMinSize === info.subgroupMaxSize ? info.subgroupMinSize : undefined;
  const wanted = prefersSmallestSubgroup(info.vendor?.toLowerCase() ?? '') ? 0 : usualLanes;
  const lanes = sizes ? Math.min(Math.max(wanted, sizes.min), sizes.max) : fixed;
  if (!lanes) return [];
  return (info.subgroupMatrixConfigs ?? []).flatMap(({ componentType, resultComponentType, M, N, K }) =>
    (componentType === 'f16' || componentType === 'f32') && resultComponentType === 'f32'
      ? [{ operands: componentType, m: M, n: N, k: K, lanes }]
      : [],
  );
}
