// How kernels divide their work: items per thread, row groups, and ranges of buffers that exceed one binding.
// On a GPU threads are cheap; on a CPU adapter each costs as much as several vec4s, and barriers are slow.

import { check, checkTypes } from '../../core/errors.ts';
import { listed, msg } from '../../core/message.ts';
import { type DType, type Shape, sizeOf } from '../../core/tensor.ts';
import type { DeviceTraits } from './device-traits.ts';
import type { Value, Variant } from './op.ts';
import { prefersSubgroupRows } from './vendor-preferences.ts';

/**
 * Grid of workgroups of `size` threads for `n` threads, in two dimensions above 65,535. The kernel must check
 * n.
 *
 * @example
 * console.log(gridOf(1000, 64)); // [16, 1, 1]
 */
export function gridOf(n: number, size: number): [number, number, number] {
  checkTypes('gridOf', 'a number', { n, size });
  const groups = Math.ceil(n / size);
  if (groups <= 65535) return [groups, 1, 1];
  const y = Math.ceil(groups / 65535);
  return [Math.ceil(groups / y), y, 1];
}

/** A variant of an elementwise kernel (shaders/shared/elementwise.wgsl). */
export interface ElementwiseVariant extends Variant {
  readonly itemsPerThread: number;
}

/** The variants of every elementwise op. */
export const elementwiseVariants = (): readonly ElementwiseVariant[] => [
  { name: 'per-1', family: 'per', itemsPerThread: 1 },
  { name: 'per-16', family: 'per', itemsPerThread: 16, forSoftware: true },
];

/**
 * The constants and the grid of an elementwise variant for `count` items: vectors of four numbers, or
 * numbers.
 */
export const elementwise = (
  { itemsPerThread }: ElementwiseVariant,
  count: number,
): { constants: { PER: number }; grid: [number, number, number] } => ({
  constants: { PER: itemsPerThread },
  grid: gridOf(count, 256 * itemsPerThread),
});

/** A variant of a kernel of rows: a row group, `threads / rows` threads of a workgroup, shares a row. */
export interface RowGroup extends Variant {
  /** Threads and rows of a workgroup. */
  readonly threads: number;
  readonly rows: number;
  /** Threads of a subgroup, whose numbers are added up by `subgroupAdd`; absent: all in workgroup memory. */
  readonly lanes?: number;
}

/** A row group of each size: `row-group-32` is 32 threads for a row. */
export const rowGroup = (threads: number, rows: number): RowGroup => {
  const size = threads / rows;
  return { name: `row-group-${size}`, family: 'row-group', threads, rows, forSoftware: size === 1 };
};

/** One thread for each row: needs no barrier. */
export const rowByThread = rowGroup(32, 32);

/** The constants of a row group in WGSL. */
export const rowConstants = ({ threads, rows, lanes }: RowGroup) => ({
  THREADS: threads,
  ROWS: rows,
  LANES: lanes,
});

/** The variants for rows of `cols` numbers, best guess for GPUs first. */
export const rowGroupsFor = (cols: number): readonly [RowGroup, RowGroup] => [
  cols > 512 ? rowGroup(256, 1) : rowGroup(128, 4),
  rowByThread,
];

/** Subgroups that a workgroup may have. Vulkan's limit, which WebGPU does not show, is 32 in llvmpipe. */
const maxSubgroups = 32;

/**
 * A row group of `size` threads that adds up numbers by subgroups of exactly `lanes` threads: `row-subgroups-32`. The
 * numbers of subgroups are added up by one of them, so a row group has at most `lanes` subgroups. `most`: threads of a
 * workgroup; fewer if subgroups are small.
 */
export function rowSubgroups(most: number, size: number, lanes: number): RowGroup {
  const threads = Math.min(most, maxSubgroups * lanes);
  const own = Math.min(Math.max(size, lanes), threads, lanes * lanes);
  return {
    ...rowGroup(threads, threads / own),
    name: `row-subgroups-${own}`,
    family: 'row-subgroups',
    lanes,
  };
}

/**
 * The variants of kernels that add up the numbers of rows of `cols`, or with `scans` find also their maximum, best guess
 * for GPUs first: by subgroups if their size is known, and in workgroup memory.
 */
export function rowReductionsFor(cols: number, traits: DeviceTraits, scans = false): readonly RowGroup[] {
  const [inMemory, byThread] = rowGroupsFor(cols);
  const [threads, size] = cols > 512 ? [256, 256] : [128, 32];
  return withSubgroups(rowSubgroups(threads, size, traits.subgroupSize), [inMemory, byThread], traits, scans);
}

/** Variants with that by subgroups, if their size is known: at the start if the vendor's compiler makes less of it. */
export function withSubgroups(
  bySubgroups: RowGroup,
  [first, ...others]: readonly [RowGroup, ...RowGroup[]],
  traits: DeviceTraits,
  scans = false,
): readonly RowGroup[] {
  if (traits.software || traits.subgroupSize < 4) return [first, ...others];
  return prefersSubgroupRows(traits, scans)
    ? [bySubgroups, first, ...others]
    : [first, bySubgroups, ...others];
}

/**
 * Threads of a workgroup of kernels that exchange numbers by subgroups of at least `minSubgroup` lanes (4 or
 * more).
 */
export const lanesOf = (minSubgroup: number): 4 | 8 => (minSubgroup >= 8 ? 8 : 4);

/**
 * Whether a device gets the kernels whose threads exchange numbers by subgroup broadcasts. They are made for CPU
 * adapters; on GPUs they spill registers (docs/gpu-compiler.md).
 */
export const broadcastsSubgroups = ({ minSubgroup, software }: DeviceTraits): boolean =>
  software && minSubgroup >= 4;

/** Numbers that a thread reads at once from rows of `cols`: 4 if that divides them, else 1. */
export const vecWidth = (cols: number): 1 | 4 => (cols % 4 === 0 ? 4 : 1);

/** `cols`, or the next multiple of 4: the width of rows that are padded to whole vectors. */
export const wholeVectors = (cols: number): number => Math.ceil(cols / 4) * 4;

/** Sample data (see `sample` of an op) of rows of `width` numbers whose padding, after `cols`, is zero. */
export const samplePadding =
  (cols: number, width: number) =>
  (i: number): number | undefined =>
    i % width < cols ? undefined : 0;

/**
 * The shader for rows of `cols` numbers: it reads vec4s, or is the variant `scalar` if 4 does not divide
 * `cols`. The variant `subgroups` is that of row groups that add up numbers by subgroups.
 */
export const shaderFor = (stem: string, cols: number, { lanes }: Partial<RowGroup> = {}): string =>
  `${stem}${vecWidth(cols) === 4 ? '' : '-scalar'}${lanes ? '-subgroups' : ''}`;

/** Elements of f32 that a binding holds, a multiple of 64. */
export const rangeLength = (maxBindingBytes: number): number => Math.floor(maxBindingBytes / 4 / 64) * 64;

/** `length` elements of `buffer` as a value to bind, from element `start`, a multiple of 64. */
export function rangeOf(buffer: Value, start: number, length: number): Value {
  if (start === 0 && length === sizeOf(buffer.shape)) return buffer;
  return viewOf(buffer, start, [length]);
}

/** A slice of a tensor as a value to bind; `offset` in elements of `dtype`, a multiple of 256 bytes. */
export const viewOf = (buffer: Value, offset: number, shape: Shape, dtype: DType = buffer.dtype): Value => ({
  id: -1,
  name: `${buffer.name}+${offset}`,
  kind: buffer.kind,
  dtype,
  shape,
  at: { buffer, offset },
});

/**
 * Ranges [start, length] of equally long buffers, each within a binding. Throws if the buffers differ in
 * length.
 */
export function rangesOf(op: string, buffers: readonly Value[], maxBindingBytes: number): [number, number][] {
  const [size = 0, ...others] = buffers.map((b) => sizeOf(b.shape));
  check(
    others.every((other) => other === size),
    () => msg`buffers differ in length, ${listed(buffers.map((b) => `${b.name} ${sizeOf(b.shape)}`))}`,
    { area: op },
  );
  const step = rangeLength(maxBindingBytes);
  const ranges: [number, number][] = [];
  for (let start = 0; start < size; start += step) ranges.push([start, Math.min(step, size - start)]);
  return ranges;
}
