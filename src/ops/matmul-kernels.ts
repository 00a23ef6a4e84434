// The launches of matrix products, shared by matmul, linear and linear_backward: which kernels there are, what each may be asked
// for, and how a product is put into the terms of shaders/lib/matmul.wgsl.

import { type Activation, activationKinds } from './activation-functions.ts';
import { type DeviceTraits, gridOf, type Launch, type LaunchContext, type Value } from './op.ts';

/** How the operands of C = A·B lie in memory: N as it is, T transposed. NN: A [M,K], B [K,N]; NT: B [N,K]; TN: A [K,M]. */
export type Form = 'NN' | 'NT' | 'TN';

/** The numbers of the forms in WGSL. */
const forms: Readonly<Record<Form, number>> = { NN: 0, NT: 1, TN: 2 };

/** What else happens to results: `add` adds a tensor, an activation multiplies by its derivative at a tensor. */
export type Extra = 'add' | Exclude<Activation, 'none'>;

/** What is done to C, with the tensor that it takes; the tensor has the shape of C. */
export interface Touch {
  readonly kind: Extra;
  readonly value: Value;
}

/** Sizes of a product, and of its batch. */
export interface Sizes {
  readonly form: Form;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Equal products side by side in memory; default 1. */
  readonly batch?: number;
}

/** C = A·B, with what follows. */
export interface Product extends Sizes {
  readonly a: Value;
  readonly b: Value;
  readonly c: Value;
  /** [N], added to every row. */
  readonly bias?: Value | undefined;
  /** Taken of C + bias; default none. */
  readonly activation?: Activation;
  /** Where C + bias goes, if the activation's backward needs it; as C. */
  readonly kept?: Value | undefined;
  /** After the activation. */
  readonly extra?: Touch | undefined;
}

/** A way to multiply: a shader of the family and its settings. */
interface Kernel {
  /** Stem in shaders/; with `-odd` it writes rows of any width, if there is such a one. */
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

function kernelOf(name: Exclude<KernelName, 'split'>, { minSubgroup }: DeviceTraits): Kernel {
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
    constants: { LANES: lanes, TEAMS: teams, ROWS: rows, WIDE: columns > 4 ? 1 : 0 },
    rows: rows * teams,
    columns: columns * lanes,
    threads: lanes * teams,
  };
}

const lanesOf = (minSubgroup: number): 4 | 8 => (minSubgroup >= 8 ? 8 : 4);

/**
 * Kernels worth trying for a product, best guess for a GPU first. Few, since each is compiled and timed when a device is tuned:
 * within a family the sizes of the product decide.
 */
export function productKernels(p: Sizes, traits: DeviceTraits): KernelName[] {
  const { m, n, k, batch = 1 } = p;
  const kernels: KernelName[] = [];
  if (m <= 16) kernels.push('dots');
  if (m > 8) kernels.push(m >= 512 && n >= 512 ? 'tiled-128x128' : 'tiled-64x64');
  // K in parts is another dispatch: without a measurement only where most of a GPU would idle.
  if (m > 16 && k >= 512 && tilesOf(p) < 32) kernels.unshift('split');
  else if (m > 16 && k >= 512 && tilesOf(p) < 128) kernels.push('split');
  kernels.push(bestInRegisters(m, traits));
  if (m * n * k * batch <= 32 ** 3) kernels.push('naive');
  return kernels;
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

/** The dispatches of a product by a kernel. */
export function productLaunches(p: Product, name: KernelName, context: LaunchContext): Launch[] {
  return name === 'split' ? splitLaunches(p, context) : plainLaunches(p, kernelOf(name, context.traits), context);
}

const maxGroups = 65535;

function plainLaunches(p: Product, kernel: Kernel, context: LaunchContext, part = { stepK: 0 }): Launch[] {
  const { form, m, n, k, batch = 1 } = p;
  const [aWidth, bWidth] = [form === 'TN' ? m : k, form === 'NT' ? k : n];
  const { stepK } = part;
  const params = {
    m,
    n,
    k: stepK || k,
    lda: aWidth,
    ldb: bWidth,
    a_batch: stepK ? (form === 'TN' ? stepK * m : stepK) : m * k,
    b_batch: stepK ? (form === 'NT' ? stepK : stepK * n) : n * k,
    k_total: stepK ? k : 0xffffffff,
    dx_tiles: 0,
    dw_tiles: 0,
    ...finishParams(p),
  };
  const common = {
    shader: shaderOf(kernel, n),
    entry: p.kept ? 'matmul_kept' : 'matmul',
    constants: {
      ...kernel.constants,
      FORM: forms[form],
      ...readConstants(aWidth, bWidth, k % 4 !== 0),
    },
    bind: bindings(p, context),
  };
  const launches: Launch[] = [];
  for (let first = 0; first < batch; first += maxGroups) {
    const count = Math.min(maxGroups, batch - first);
    launches.push({
      ...common,
      params: { ...params, first },
      grid: [Math.ceil(n / kernel.columns), Math.ceil(m / kernel.rows), count],
      flops: 2 * m * n * k * (stepK ? 1 / batch : 1) * count,
    });
  }
  return launches;
}

/** K in parts, each of which makes a C of its own, and their sum in order. */
function splitLaunches(p: Product, context: LaunchContext): Launch[] {
  const { m, n, k } = p;
  const tiles = Math.ceil(m / 64) * Math.ceil(n / 64);
  const stepK = Math.max(64, Math.ceil(k / Math.ceil(256 / tiles) / 16) * 16);
  const parts = Math.ceil(k / stepK);
  const c = context.scratch('f32', [parts, m, n]);
  const { a, b, form } = p;
  const sums: Product = { form, m, n, k, batch: parts, a, b, c };
  const sizes = { m, n, k: parts, lda: 0, ldb: 0, a_batch: 0, b_batch: 0, first: 0, k_total: 0xffffffff };
  return [
    ...plainLaunches(sums, kernelOf('tiled-64x64', context.traits), context, { stepK }),
    {
      shader: 'matmul-combine',
      entry: p.kept ? 'combine_kept' : 'combine',
      constants: { A_VECTORS: n % 4 === 0 ? 1 : 0 },
      params: { ...sizes, dx_tiles: 0, dw_tiles: 0, ...finishParams(p) },
      bind: { ...bindings(p, context), a: c },
      grid: gridOf(m * Math.ceil(n / 4), 64),
      flops: parts * m * n,
    },
  ];
}

/** The gradients of y = x·wᵀ + b, of which any may be left out: dx = dy·w (touched by `extra`), dw = dyᵀ·x, db = column sums of dy. */
export interface BackwardProducts {
  readonly rows: number;
  readonly ins: number;
  readonly outs: number;
  readonly dy: Value; // [rows, outs]
  readonly x: Value; // [rows, ins]
  readonly w: Value; // [outs, ins]
  readonly dx?: Value | undefined;
  readonly dw?: Value | undefined;
  readonly db?: Value | undefined;
  readonly extra?: Touch | undefined;
  /** Adds to the dw and db that are there; not by `split`. */
  readonly accumulate?: boolean;
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

const backwardSizes = (rows: number, ins: number, outs: number): [Sizes, Sizes] => [
  { form: 'NN', m: rows, n: ins, k: outs }, // dx
  { form: 'TN', m: outs, n: ins, k: rows }, // dw
];

/** The gradients by a kernel: one dispatch, except `split`, which has K in parts in each product. */
export function backwardLaunches(g: BackwardProducts, name: KernelName, context: LaunchContext): Launch[] {
  const { rows, ins, outs, dy, x, w, dx, dw, db, extra, accumulate = false } = g;
  if (name === 'split') {
    const [dxSize, dwSize] = backwardSizes(rows, ins, outs);
    return [
      ...(dx ? splitIfFew({ ...dxSize, a: dy, b: w, c: dx, extra }, context) : []),
      ...(dw ? splitIfFew({ ...dwSize, a: dy, b: x, c: dw }, context) : []),
      ...(db ? backwardLaunches({ ...g, dx: undefined, dw: undefined }, 'tiled-64x64', context) : []),
    ];
  }
  const kernel = kernelOf(name, context.traits);
  const columns = Math.ceil(ins / kernel.columns);
  const dxTiles = dx ? columns * Math.ceil(rows / kernel.rows) : 0;
  const dwTiles = dw ? columns * Math.ceil(outs / kernel.rows) : 0;
  const dbGroups = db ? Math.ceil(outs / (4 * kernel.threads)) : 0;
  const unused = () => context.scratch('f32', [64]);
  return [
    {
      shader: shaderOf(kernel, ins),
      entry: 'linear_backward',
      constants: {
        ...kernel.constants,
        ...readConstants(outs, ins, outs % 4 !== 0 || rows % 4 !== 0),
      },
      params: {
        m: rows,
        n: ins,
        k: outs,
        lda: outs,
        ldb: ins,
        a_batch: 0,
        b_batch: 0,
        first: 0,
        k_total: 0xffffffff,
        dx_tiles: dxTiles,
        dw_tiles: dwTiles,
        ...finishParams({ extra }),
        accumulate: accumulate ? 1 : 0,
      },
      bind: {
        a: dy,
        b: w,
        other: x,
        extra: extra?.value ?? dy,
        y: dx ?? unused(),
        y2: dw ?? unused(),
        db: db ?? unused(),
      },
      grid: gridOf(dxTiles + dwTiles + dbGroups, 1),
      flops: 2 * rows * ins * outs * ((dx ? 1 : 0) + (dw ? 1 : 0)) + (db ? rows * outs : 0),
    },
  ];
}

const splitIfFew = (p: Product, context: LaunchContext): Launch[] =>
  productLaunches(p, productKernels(p, context.traits).includes('split') ? 'split' : 'tiled-64x64', context);

const shaderOf = (kernel: Kernel, width: number): string =>
  kernel.anyWidth || width % 4 === 0 ? kernel.shader : `${kernel.shader}-odd`;

const readConstants = (aWidth: number, bWidth: number, tail: boolean): Record<string, number> => ({
  A_VECTORS: aWidth % 4 === 0 ? 1 : 0,
  B_VECTORS: bWidth % 4 === 0 ? 1 : 0,
  K_TAIL: tail ? 1 : 0,
});

const finishParams = ({ bias, activation = 'none', extra }: Partial<Product>): Record<string, number> => ({
  bias: bias ? 1 : 0,
  activation: activationKinds[activation],
  extra: !extra ? 0 : extra.kind === 'add' ? 4 : activationKinds[extra.kind],
  accumulate: 0,
});

const bindings = (p: Product, context: LaunchContext): Record<string, Value> => ({
  a: p.a,
  b: p.b,
  other: p.bias ?? p.b,
  extra: p.extra?.value ?? p.b,
  y: p.c,
  y2: p.kept ?? context.scratch('f32', [64]),
});
