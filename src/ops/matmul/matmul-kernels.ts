// The kernels of matrix products, shared by matmul, linear and linear_backward, and which of them are worth timing for
// a product. matmul-launches.ts launches them.

import type { DeviceTraits } from '../op.ts';

/**
 * Memory layout of the operands of C = A·B: N as it is, T transposed. NN: A [M,K], B [K,N]; NT: B [N,K]; TN: A [K,M].
 */
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

/** A matrix-product kernel: a shader of the family and its settings. */
export interface Kernel {
  /** Stem in shaders/; its `-scalar` form writes rows of any width, which `anyWidth` does by itself. */
  readonly shader: string;
  readonly anyWidth?: boolean;
  readonly constants: Readonly<Record<string, number>>;
  /** The tile of C that one workgroup computes. */
  readonly rows: number;
  readonly columns: number;
  readonly threads: number;
}

/**
 * The kernel of a variant. `naive`: one element of C a thread; `dots-4x16`: threads of a workgroup share K;
 * `tiled-64x64`, `tiled-128x128`: tiles of C by workgroup; `registers-8x4` and `subgroups-16x4`: tiles of C by thread.
 * `split`, which is `tiled` with K in slices, is not here.
 */
export function kernelOf(variant: string, { minSubgroup }: DeviceTraits): Kernel {
  if (variant === 'naive') return { shader: 'matmul', anyWidth: true, constants: {}, rows: 8, columns: 8, threads: 64 };
  const [, family, height, width] = /^(dots|tiled|registers|subgroups)-(\d+)x(\d+)$/.exec(variant) ?? [];
  if (!family) throw new Error(`matmul: there is no variant ${variant}`);
  const [rows, columns] = [Number(height), Number(width)];
  if (family === 'dots') return { shader: 'matmul-dots', constants: { ROWS: rows }, rows, columns, threads: 64 };
  if (family === 'tiled') {
    const constants = { SIZE: rows, DEPTH: 1024 / rows };
    return { shader: 'matmul-tiled', constants, rows, columns, threads: 256 };
  }
  // `lanes` threads next to each other share rows; a workgroup has `groups` of them, one below the other.
  const [lanes, groups] = family === 'subgroups' ? [lanesOf(minSubgroup), 1] : [8, 8];
  return {
    shader: family === 'subgroups' ? 'matmul-subgroups' : 'matmul-registers',
    constants: { LANES: lanes, LANE_GROUPS: groups, ROWS: rows, WIDE: columns > 4 ? 1 : 0 },
    rows: rows * groups,
    columns: columns * lanes,
    threads: lanes * groups,
  };
}

/** Threads of a workgroup of kernels that exchange numbers by subgroups of at least `minSubgroup` lanes (4 or more). */
export const lanesOf = (minSubgroup: number): 4 | 8 => (minSubgroup >= 8 ? 8 : 4);

/** Columns of a workgroup of `dots`, and the maximum of a dispatch; a vocabulary may have more. */
export const dotsColumns = 16;
export const maxDots = dotsColumns * 65535;

/** Rows of a workgroup of `dots`: all of up to 16, so that the weights are read once. */
export const dotsRows = (m: number): number => [1, 4, 8].find((rows) => rows >= m) ?? 16;

/**
 * Variants worth timing for a product, best guess for a GPU first. Only a few, since auto-tuning compiles and times
 * each: within a family the sizes of the product decide.
 */
export function productKernels(p: Sizes, traits: DeviceTraits): string[] {
  const { form, m, n, k, batch = 1 } = p;
  const kernels: string[] = [];
  if (form === 'NT' && m <= 16 && n <= maxDots) kernels.push(`dots-${dotsRows(m)}x${dotsColumns}`);
  if (m > 8) kernels.push(...tiles(p));
  // Slices of K need another dispatch. Without a measurement that only pays if most of a GPU would be idle.
  if (m > 16 && k >= 512 && tilesOf(p) < 32) kernels.unshift('split');
  else if (m > 16 && k >= 512 && tilesOf(p) < 128) kernels.push('split');
  kernels.push(registerTile(m, traits));
  if (m * n * k * batch <= 32 ** 3) kernels.push('naive');
  return kernels;
}

/** Tiles of 128 x 128 read half as much as those of 64 x 64, but must be enough to fill a GPU. */
function tiles({ m, n, batch = 1 }: Sizes): string[] {
  if (m < 512 || n < 512) return ['tiled-64x64'];
  const large = Math.ceil(m / 128) * Math.ceil(n / 128) * batch;
  if (large >= 256) return ['tiled-128x128'];
  return large >= 64 ? ['tiled-128x128', 'tiled-64x64'] : ['tiled-64x64', 'tiled-128x128'];
}

/** Number of tiles of 64 x 64: too few do not fill a GPU. */
const tilesOf = ({ m, n, batch = 1 }: Sizes): number => (batch > 1 ? 1e9 : Math.ceil(m / 64) * Math.ceil(n / 64));

/** The tile of a thread that was fastest on lavapipe (8 lanes) and SwiftShader (4), no higher than the product. */
function registerTile(m: number, { minSubgroup }: DeviceTraits): string {
  if (minSubgroup < 4) return m <= 64 ? 'registers-4x4' : 'registers-8x8';
  const lanes = lanesOf(minSubgroup);
  const rows = Math.min(lanes === 8 ? 16 : 32, 2 ** Math.ceil(Math.log2(Math.max(4, m))));
  return `subgroups-${rows}x${lanes === 8 ? 4 : 8}`;
}

/** Variants worth timing for all gradients of a linear layer: one dispatch each, except `split`. */
export function backwardKernels(rows: number, ins: number, outs: number, traits: DeviceTraits): string[] {
  const sizes = backwardSizes(rows, ins, outs);
  const split = sizes.some((p) => productKernels(p, traits).includes('split'));
  const tiles = sizes.reduce((sum, p) => sum + tilesOf(p), 0);
  const larger: Sizes = { form: 'TN', m: Math.max(rows, outs), n: ins, k: Math.min(rows, outs) };
  const others = productKernels(larger, traits).filter((name) => name !== 'split' && !name.startsWith('dots'));
  if (!split) return others;
  // The tiles of both products run in parallel.
  return tiles < 32 ? ['split', ...others] : [...others, 'split'];
}

/** The products of a linear layer's backward pass. */
export const backwardSizes = (rows: number, ins: number, outs: number): [Sizes, Sizes] => [
  { form: 'NN', m: rows, n: ins, k: outs }, // dx
  { form: 'TN', m: outs, n: ins, k: rows }, // dw
];
