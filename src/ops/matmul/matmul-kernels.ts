// The kernels of matrix products, shared by matmul, linear and linear_backward: which there are, and which are worth trying for a
// product. How one is launched is in matmul-launches.ts.

import type { DeviceTraits } from '../op.ts';

/** How the operands of C = A·B lie in memory: N as it is, T transposed. NN: A [M,K], B [K,N]; NT: B [N,K]; TN: A [K,M]. */
export type Form = 'NN' | 'NT' | 'TN';

/** Sizes of a product, and of its batch. */
export interface Sizes {
  readonly form: Form;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Equal products side by side in memory; default 1. */
  readonly batch?: number;
}

/** A way to multiply: a shader of the family and its settings. */
export interface Kernel {
  /** Stem in shaders/; with `-scalar` it writes rows of any width, if there is such a one. */
  readonly shader: string;
  readonly anyWidth?: boolean;
  readonly constants: Readonly<Record<string, number>>;
  /** What one workgroup makes of C. */
  readonly rows: number;
  readonly columns: number;
  readonly threads: number;
}

/**
 * A kernel's name, with the numbers of C that a workgroup (tiled) or a thread makes; `dots` shares K among the threads of a
 * workgroup, `split` is tiled with K in parts of their own.
 */
export type KernelName =
  | 'naive'
  | 'dots'
  | 'split'
  | `tiled-${64 | 128}x${64 | 128}`
  | `registers-${number}x${4 | 8}`
  | `subgroups-${number}x${4 | 8}`;

/** The kernel of a name. */
export function kernelOf(name: Exclude<KernelName, 'split'>, { minSubgroup }: DeviceTraits): Kernel {
  if (name === 'naive') return { shader: 'matmul', anyWidth: true, constants: {}, rows: 8, columns: 8, threads: 64 };
  if (name === 'dots') return { shader: 'matmul-dots', constants: {}, rows: 4, columns: 4, threads: 64 };
  const [, family, height, width] = /(\w+)-(\d+)x(\d+)/.exec(name) ?? [];
  const [rows, columns] = [Number(height), Number(width)];
  if (family === 'tiled') {
    const DEPTH = rows * columns > 128 * 64 ? 8 : 16; // what fits in 16 KiB
    const constants = { TALL: rows > 64 ? 1 : 0, WIDE: columns > 64 ? 1 : 0, DEPTH };
    return { shader: 'matmul-tiled', constants, rows, columns, threads: 256 };
  }
  // So many lanes side by side share rows, so many teams of lanes lie below one another.
  const [lanes, teams] = family === 'subgroups' ? [lanesOf(minSubgroup), 1] : [8, 8];
  return {
    shader: family === 'subgroups' ? 'matmul-subgroups' : 'matmul-registers',
    constants: { LANES: lanes, LANE_GROUPS: teams, ROWS: rows, WIDE: columns > 4 ? 1 : 0 },
    rows: rows * teams,
    columns: columns * lanes,
    threads: lanes * teams,
  };
}

const lanesOf = (minSubgroup: number): 4 | 8 => (minSubgroup >= 8 ? 8 : 4);

/** Most columns that `dots` makes in one dispatch, 4 a workgroup; a vocabulary may have more. */
export const maxDots = 4 * 65535;

/**
 * Kernels worth trying for a product, best guess for a GPU first. Few, since each is compiled and timed when a device is tuned:
 * within a family the sizes of the product decide.
 */
export function productKernels(p: Sizes, traits: DeviceTraits): KernelName[] {
  const { m, n, k, batch = 1 } = p;
  const kernels: KernelName[] = [];
  if (m <= 16 && n <= maxDots) kernels.push('dots');
  if (m > 8) kernels.push(...tiles(p));
  // K in parts is another dispatch: without a measurement only where most of a GPU would idle.
  if (m > 16 && k >= 512 && tilesOf(p) < 32) kernels.unshift('split');
  else if (m > 16 && k >= 512 && tilesOf(p) < 128) kernels.push('split');
  kernels.push(bestInRegisters(m, traits));
  if (m * n * k * batch <= 32 ** 3) kernels.push('naive');
  return kernels;
}

/** Tiles of 128 a side read half as much as those of 64, where there are enough of them to fill a GPU. */
function tiles({ m, n, batch = 1 }: Sizes): KernelName[] {
  if (m < 512 || n < 512) return ['tiled-64x64'];
  const large = Math.ceil(m / 128) * Math.ceil(n / 128) * batch;
  if (large >= 256) return ['tiled-128x128'];
  return large >= 64 ? ['tiled-128x128', 'tiled-64x64'] : ['tiled-64x64', 'tiled-128x128'];
}

/** How many tiles of 64 x 64 there are: too few do not fill a GPU. */
const tilesOf = ({ m, n, batch = 1 }: Sizes): number => (batch > 1 ? 1e9 : Math.ceil(m / 64) * Math.ceil(n / 64));

/** The tile a thread that did best on lavapipe (8 lanes) and SwiftShader (4), no higher than the product. */
function bestInRegisters(m: number, { minSubgroup }: DeviceTraits): KernelName {
  if (minSubgroup < 4) return m <= 64 ? 'registers-4x4' : 'registers-8x8';
  const lanes = lanesOf(minSubgroup);
  const rows = Math.min(lanes === 8 ? 16 : 32, 2 ** Math.ceil(Math.log2(Math.max(4, m))));
  return `subgroups-${rows}x${lanes === 8 ? 4 : 8}`;
}

/** Kernels worth trying for all gradients in one dispatch, `split` in more. */
export function backwardKernels(rows: number, ins: number, outs: number, traits: DeviceTraits): KernelName[] {
  const sizes = backwardSizes(rows, ins, outs);
  const split = sizes.some((p) => productKernels(p, traits).includes('split'));
  const tiles = sizes.reduce((sum, p) => sum + tilesOf(p), 0);
  const higher: Sizes = { form: 'TN', m: Math.max(rows, outs), n: ins, k: Math.min(rows, outs) };
  const others = productKernels(higher, traits).filter((name) => name !== 'split' && name !== 'dots');
  if (!split) return others;
  // The tiles of both products run side by side.
  return tiles < 32 ? ['split', ...others] : [...others, 'split'];
}

/** The products of a linear layer's backward pass. */
export const backwardSizes = (rows: number, ins: number, outs: number): [Sizes, Sizes] => [
  { form: 'NN', m: rows, n: ins, k: outs }, // dx
  { form: 'TN', m: outs, n: ins, k: rows }, // dw
];
