// The kernels of matrix products, shared by matmul, linear and linear_backward, and which of them are worth
// timing for a product. matmul-launches.ts launches them.

import type { TensorType } from '../../../core/tensor.ts';
import type { DeviceTraits, MatrixConfig } from '../device-traits.ts';
import type { Variant } from '../op.ts';
import {
  hasFewRegisters,
  prefersLargeTiles,
  prefersSubgroupRows,
  subgroupSizeFor,
} from '../vendor-preferences.ts';
import { broadcastsSubgroups, lanesOf } from '../work-division.ts';

/** Which operand of C = A·B is stored transposed: NN none; NT B, as [N,K]; TN A, as [K,M]. */
export type Form = 'NN' | 'NT' | 'TN';

/** Sizes of a product, and of its batch. */
export interface Sizes {
  readonly form: Form;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Number of products, one after the other in memory; default 1. */
  readonly batch?: number;
}

/** Types of the operands of a product, as stored. */
export type Operands = readonly Pick<TensorType, 'dtype'>[];

/** How a product is computed; `matmul-launches.ts` and `productKernel` say more of each family. */
export interface ProductVariant extends Variant {
  readonly family:
    | 'naive'
    | 'dots'
    | 'tiled'
    | 'matrix'
    | 'registers'
    | 'subgroups'
    | 'split'
    | 'matrix-split';
  /** The tile of C of a workgroup; of a thread in the families `registers` and `subgroups`. */
  readonly rows: number;
  readonly columns: number;
  /** Threads of a subgroup that adds up what its threads have of K; absent: in workgroup memory. */
  readonly lanes?: number;
  /** The variant that computes slices of K, whose sum is C. */
  readonly slices?: ProductVariant;
}

/** A variant of a tile: `tiled-64x64`. */
export const productTile = (
  family: 'dots' | 'tiled' | 'matrix' | 'registers' | 'subgroups',
  rows: number,
  columns: number,
): ProductVariant => ({
  name: `${family}-${rows}x${columns}`,
  family,
  rows,
  columns,
  forSoftware: family === 'registers' || family === 'subgroups',
  needsCheck: family === 'matrix',
});

/** A product of one row whose sums over K are those of subgroups of `lanes` threads. */
const subgroupDots = (lanes: number): ProductVariant => ({
  ...productTile('dots', 1, dotsColumns),
  name: `dots-subgroups-1x${dotsColumns}`,
  lanes,
});

/** The simplest variant: four numbers of C a thread. */
export const naiveProduct: ProductVariant = { name: 'naive', family: 'naive', rows: 8, columns: 32 };

/** Tiles of 64 x 64 with K in slices, in workgroup memory or by subgroup matrices. */
const split: ProductVariant = {
  name: 'split',
  family: 'split',
  rows: 64,
  columns: 64,
  slices: productTile('tiled', 64, 64),
};
const matrixSplit: ProductVariant = {
  ...split,
  name: 'matrix-split',
  family: 'matrix-split',
  slices: productTile('matrix', 64, 64),
  needsCheck: true,
};

/** A matrix-product kernel: a shader of the family and its settings. */
export interface ProductKernel {
  /** Stem in shaders/. */
  readonly shader: string;
  /** Whether it is the variant `subgroups` of the shader. */
  readonly subgroups?: boolean;
  readonly constants: Readonly<Record<string, number>>;
  /** The tile of C that one workgroup computes. */
  readonly rows: number;
  readonly columns: number;
  readonly threads: number;
  /** Threads of a subgroup to request. */
  readonly subgroupSize?: number;
}

/**
 * The kernel of a variant for operands of some types, which does not split K. `naive`: four numbers of C a thread;
 * `dots-4x16`: threads of a workgroup share K; `tiled-64x64`, `tiled-128x128`: tiles of C by workgroup;
 * `matrix-64x64`: the same by subgroup matrices; `registers-8x4` and `subgroups-16x4`: tiles of C by thread.
 */
export function productKernel(
  { name, family, rows, columns, lanes: summed }: ProductVariant,
  operands: Operands,
  traits: DeviceTraits,
): ProductKernel {
  if (family === 'naive') return { shader: 'matmul', constants: {}, rows, columns, threads: 64 };
  if (family === 'matrix') {
    const kernel = matrixKernel(rows, operands, traits);
    if (!kernel) throw new Error(`matmul: there is no variant ${name} for these operands`);
    return kernel;
  }
  const subgroupSize = subgroupSizeFor(traits);
  if (family === 'dots' && summed)
    return {
      shader: 'matmul-dots',
      subgroups: true,
      constants: { ROWS: rows, ...lanesConstants(summed) },
      ...{ rows, columns, threads: 4 * summed },
    };
  if (family === 'dots')
    return { shader: 'matmul-dots', constants: { ROWS: rows }, rows, columns, threads: 64, subgroupSize };
  if (family === 'tiled') {
    const constants = { SIZE: rows, DEPTH: 1024 / rows };
    return { shader: 'matmul-tiled', constants, rows, columns, threads: 256, subgroupSize };
  }
  // `lanes` threads next to each other share rows; a workgroup has `groups` of them, one below the other.
  const subgroups = family === 'subgroups';
  const [lanes, groups] = subgroups ? [lanesOf(traits.minSubgroup), 1] : [8, 8];
  return {
    shader: 'matmul-registers',
    subgroups,
    constants: { LANES: lanes, LANE_GROUPS: groups, ROWS: rows, WIDE: columns > 4 ? 1 : 0 },
    rows: rows * groups,
    columns: columns * lanes,
    threads: lanes * groups,
  };
}

/** The constants of `dots` whose subgroups of `lanes` threads have four columns each. */
export const lanesConstants = (lanes: number | undefined): Record<string, number> =>
  lanes === undefined ? {} : { LANES: lanes, THREADS: (dotsColumns / 4) * lanes };

/** Whether products of one row can be added up by subgroups; with more rows that takes more instructions. */
export const hasSubgroupDots = ({ software, subgroupSize }: DeviceTraits): boolean =>
  !software && subgroupSize >= 4;

/** Depth of the tiles of matrix kernels along K; a thread stages 4x4 numbers of each operand. */
const matrixDepth = 32;

/** Tiles of `size` x `size` by subgroup matrices; undefined without matrices or workgroup memory for them. */
function matrixKernel(size: number, operands: Operands, traits: DeviceTraits): ProductKernel | undefined {
  const threads = (size * matrixDepth) / 16;
  for (const { operands: type, m, n, k, lanes } of byWork(traits.matrices)) {
    if (!operands.every(({ dtype }) => dtype === type)) continue;
    const subgroups = threads / lanes;
    const across = 2 ** Math.ceil(Math.log2(subgroups) / 2);
    const bytes = type === 'f16' ? 2 : 4;
    const pitch = matrixDepth / 4 + 4 / bytes;
    const [rows, columns] = [size / (subgroups / across), size / across];
    const fits =
      Number.isInteger(subgroups) &&
      matrixDepth % k === 0 &&
      rows % m === 0 &&
      columns % n === 0 &&
      n % 4 === 0;
    const workgroupBytes = 2 * size * pitch * 4 * bytes + subgroups * m * n * 4;
    if (!fits || workgroupBytes > traits.maxWorkgroupBytes || threads > traits.maxInvocations) continue;
    const constants = { SIZE: size, DEPTH: matrixDepth, PITCH: pitch, LANES: lanes, ACROSS: across };
    return {
      shader: 'matmul-matrix',
      constants: { ...constants, MATRIX_M: m, MATRIX_N: n, MATRIX_K: k },
      rows: size,
      columns: size,
      threads,
    };
  }
  return undefined;
}

/** Larger matrices first: fewer loads for each multiply-add. */
const byWork = (configs: readonly MatrixConfig[]): MatrixConfig[] =>
  [...configs].sort((a, b) => b.m * b.n * b.k - a.m * a.n * a.k);

/** Columns of a workgroup of `dots`. */
export const dotsColumns = 16;
/** Maximum columns of a dispatch of `dots`; a vocabulary may have more. */
export const maxDots = dotsColumns * 65535;

/**
 * Rows of a workgroup of `dots`: all of up to 16, so that the weights are read once, or fewer on a GPU without the
 * registers for them.
 */
export const dotsRows = (m: number, traits: DeviceTraits): number =>
  Math.min([1, 4, 8].find((rows) => rows >= m) ?? 16, hasFewRegisters(traits) ? 4 : 16);

/**
 * Variants worth timing for a product of operands of some types, best guess for a GPU first. Only a few,
 * since auto-tuning compiles and times each: within a family the sizes of the product decide.
 */
export function productKernels(p: Sizes, operands: Operands, traits: DeviceTraits): ProductVariant[] {
  const { form, m, n, k, batch = 1 } = p;
  const kernels: ProductVariant[] = [];
  if (form === 'NT' && m <= 16 && n <= maxDots)
    kernels.push(productTile('dots', dotsRows(m, traits), dotsColumns));
  if (form === 'NT' && m === 1 && n <= maxDots && hasSubgroupDots(traits))
    kernels.splice(prefersSubgroupRows(traits) ? 0 : 1, 0, subgroupDots(traits.subgroupSize));
  const sizes = m > 8 ? tileSizes(p, traits) : [];
  const matrix = sizes
    .filter((size) => matrixKernel(size, operands, traits))
    .map((size) => productTile('matrix', size, size));
  kernels.push(...matrix, ...sizes.map((size) => productTile('tiled', size, size)));
  // Slices of K need another dispatch. Without a measurement that only pays if most of a GPU would be idle.
  const splits = matrixKernel(64, operands, traits) ? [matrixSplit, split] : [split];
  if (m > 16 && k >= 512 && tilesOf(p) < 32) kernels.unshift(...splits);
  else if (m > 16 && k >= 512 && tilesOf(p) < 128) kernels.push(...splits);
  // GPUs do better with tiles in workgroup memory; without subgroups the adapter may be a CPU that does not say so.
  if (sizes.length === 0 || traits.software || traits.minSubgroup < 4) kernels.push(registerTile(m, traits));
  if (m * n * k * batch <= 32 ** 3) kernels.push(naiveProduct);
  return kernels;
}

/**
 * Sides of tiles, best guess first: those of 128 x 128 read half as much as those of 64 x 64, but must be enough to
 * fill a GPU, and suit not every GPU.
 */
function tileSizes({ m, n, batch = 1 }: Sizes, traits: DeviceTraits): readonly (64 | 128)[] {
  if (m < 512 || n < 512) return [64];
  const large = Math.ceil(m / 128) * Math.ceil(n / 128) * batch;
  return large >= 64 && prefersLargeTiles(traits) ? [128, 64] : [64, 128];
}

/**
 * Number of tiles of 64 x 64, which shows whether a product fills a GPU; 1e9 for a batch, which is never
 * split.
 */
export const tilesOf = ({ m, n, batch = 1 }: Sizes): number =>
  batch > 1 ? 1e9 : Math.ceil(m / 64) * Math.ceil(n / 64);

/**
 * The tile of a thread that was fastest on lavapipe (8 lanes) and SwiftShader (4), no higher than the
 * product.
 */
function registerTile(m: number, traits: DeviceTraits): ProductVariant {
  if (!broadcastsSubgroups(traits))
    return m <= 64 ? productTile('registers', 4, 4) : productTile('registers', 8, 8);
  const lanes = lanesOf(traits.minSubgroup);
  const rows = Math.min(lanes === 8 ? 16 : 32, 2 ** Math.ceil(Math.log2(Math.max(4, m))));
  return productTile('subgroups', rows, lanes === 8 ? 4 : 8);
}
