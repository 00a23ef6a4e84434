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
  /**
   * Whether a thread has so few registers that it computes fewer rows at once. `unsized`: only if kernels cannot request
   * the smallest subgroup.
   */
  readonly fewRegisters: boolean | 'unsized';
  /** Most beams of a sentence for which a workgroup of cached attention reads the keys once; with few registers one. */
  readonly cachedRows: number;
  /**
   * Which reductions of rows start with subgroups rather than with trees in workgroup memory, if the size of subgroups
   * is known: none, sums only (norms, sums of exponentials), or all, also the scans of the loss and of the next token.
   */
  readonly subgroupRows: 'none' | 'sums' | 'all';
}

/** For all other vendors, and if the browser does not name the vendor. */
const others: VendorPreferences = {
  smallestSubgroup: false,
  largeTiles: false,
  fewRegisters: false,
  cachedRows: 8,
  subgroupRows: 'none',
};

const preferences: Readonly<Record<string, VendorPreferences>> = {
  // A thread group shares 4 KiB of registers (8 KiB since Xe2): 64 per thread at the size that Dawn requests on Vulkan,
  // twice the smallest, and 128 at the smallest. With 64 the tiles of 128 x 128 spill 60 times per 64 multiply-adds.
  // Without a size that can be requested, 25 of 67 kernels spill in their loops (Skylake), those for few registers do not.
  // Sums of rows by subgroups take 0.5 to 0.7 of the cycles. Cached attention of 8 beams spills 11 to 90 times in its loop.
  intel: {
    ...others,
    smallestSubgroup: true,
    largeTiles: 'sized',
    fewRegisters: 'unsized',
    cachedRows: 4,
    subgroupRows: 'all',
  },
  // 256 registers per thread without loss of the waves that hide latency: large tiles have the fewest reads.
  // Layer norm has 0.57 of the instructions by subgroups, the loss 0.75, and no or one barrier.
  amd: { ...others, largeTiles: true, subgroupRows: 'all' },
  // 255 registers per thread. Layer norm has 0.9 of the instructions by subgroups, the loss 1.04, with one barrier
  // instead of nine.
  nvidia: { ...others, largeTiles: true, subgroupRows: 'all' },
  // 128 registers per thread: tiles of 128 x 128 fit with half of the threads of tiles of 64 x 64, and have a third of
  // their memory accesses and a larger share of multiply-adds (0.79, 0.70).
  // Sums by subgroups have 0.7 of the instructions; scans have 1.6 times as many, since only the addition is short.
  // Cached attention of 8 beams with heads of 16 columns spills 66 times in its loop.
  apple: { ...others, largeTiles: true, cachedRows: 4, subgroupRows: 'sums' },
  // 64 registers per thread. Mesa's driver has no subgroups for it, so nothing is known of them.
  arm: { ...others, fewRegisters: true },
  // Layer norm has 0.53 of the instructions by subgroups, the loss 0.8.
  qualcomm: { ...others, subgroupRows: 'all' },
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
export function hasFewRegisters(traits: DeviceTraits): boolean {
  const { fewRegisters } = preferencesOf(traits);
  return fewRegisters === 'unsized' ? subgroupSizeFor(traits) === undefined : fewRegisters;
}

/** Most beams of a sentence for which a workgroup of cached attention reads the keys once. */
export const cachedRowsOf = (traits: DeviceTraits): number => preferencesOf(traits).cachedRows;

/** Whether sums of rows and products of one row, or with `scans` also scans, start with subgroups. */
export const prefersSubgroupRows = (traits: DeviceTraits, scans = false): boolean => {
  const { subgroupRows } = preferencesOf(traits);
  return subgroupRows === 'all' || (subgroupRows === 'sums' && !scans);
};
