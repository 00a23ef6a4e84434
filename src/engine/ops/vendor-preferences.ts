// What the kernels of a GPU should be like before anything was timed on it, by vendor. Each row has its reason, found
// with the compilers of the vendors' drivers (docs/gpu-compiler.md). Auto-tuning times all variants in any case.

import type { DeviceTraits } from './device-traits.ts';

/** Preferences for the GPUs of a vendor. */
interface VendorPreferences {
  /** Whether kernels with many registers per thread request the smallest subgroup. */
  readonly smallestSubgroup: boolean;
  /**
   * Whether products that fill the GPU with tiles of 128 x 128 start with those, 64 sums per thread, rather than with
   * tiles of 64 x 64. `sized`: only if kernels can request the smallest subgroup.
   */
  readonly largeTiles: boolean | 'sized';
  /** Whether a thread has so few registers that it computes fewer rows at once. */
  readonly fewRegisters: boolean;
}

/** For all other vendors, and if the browser does not name the vendor. */
const others: VendorPreferences = { smallestSubgroup: false, largeTiles: false, fewRegisters: false };

const preferences: Readonly<Record<string, VendorPreferences>> = {
  // A thread group shares 4 KiB of registers (8 KiB since Xe2): 64 per thread at the size that Dawn requests on Vulkan,
  // twice the smallest, and 128 at the smallest. With 64 the tiles of 128 x 128 spill 60 times per 64 multiply-adds.
  intel: { smallestSubgroup: true, largeTiles: 'sized', fewRegisters: false },
  // 256 registers per thread without loss of the waves that hide latency: large tiles have the fewest reads.
  amd: { smallestSubgroup: false, largeTiles: true, fewRegisters: false },
  // 255 registers per thread.
  nvidia: { smallestSubgroup: false, largeTiles: true, fewRegisters: false },
  // 128 registers per thread: tiles of 128 x 128 fit with half of the threads of tiles of 64 x 64, and have a third of
  // their memory accesses and a larger share of multiply-adds (0.79, 0.70).
  apple: { smallestSubgroup: false, largeTiles: true, fewRegisters: false },
  // 64 registers per thread.
  arm: { smallestSubgroup: false, largeTiles: false, fewRegisters: true },
};

const preferencesOf = ({ vendor }: Pick<DeviceTraits, 'vendor'>): VendorPreferences =>
  preferences[vendor] ?? others;

/** Whether kernels with many registers per thread request the smallest subgroup on GPUs of a vendor. */
export const prefersSmallestSubgroup = (vendor: string): boolean =>
  preferencesOf({ vendor }).smallestSubgroup;

/** The subgroup that a kernel with many registers per thread requests; undefined: the driver chooses. */
export function subgroupSizeFor(traits: DeviceTraits): number | undefined {
  const { minRequestedSubgroup } = traits;
  return preferencesOf(traits).smallestSubgroup && minRequestedSubgroup > 0
    ? minRequestedSubgroup
    : undefined;
}

/** Whether products that are large enough start with tiles of 128 x 128. */
export function prefersLargeTiles(traits: DeviceTraits): boolean {
  const { largeTiles } = preferencesOf(traits);
  return largeTiles === 'sized' ? subgroupSizeFor(traits) !== undefined : largeTiles;
}

/** Whether a thread has so few registers that it computes fewer rows at once. */
export const hasFewRegisters = (traits: DeviceTraits): boolean => preferencesOf(traits).fewRegisters;
