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

/** A factor of A, or what is done to C, with the tensor it needs; the tensor has the shape of A, or of C. */
export interface Touch<Kind> {
  readonly kind: Kind;
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

/** C = A·B, with what precedes and follows. */
export interface Product extends Sizes {
  readonly a: Value;
  readonly b: Value;
  readonly c: Value;
  /** Multiplies A by the derivative of an activation, taken at a tensor like A. */
  readonly slope?: Touch<Activation> | undefined;
  /** [N], added to every row. */
  readonly bias?: Value | undefined;
  /** Taken of C + bias; default none. */
  readonly activation?: Activation;
  /** Where C + bias goes, if the activation's backward needs it; as C. */
  readonly kept?: Value | undefined;
  /** After the activation. */
  readonly extra?: Touch<Extra> | undefined;
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

/** A kernel's name; `split` makes parts of K first, by the tiled kernel. */
export type KernelName =
  | 'naive'
  | 'tiled-64x64'
  | 'tiled-128x128'
  | 'registers-8x8'
  | 'subgroups-4x4'
  | 'subgroups-16x4'
  | 'subgroups-32x8'
  | 'split';

const tiled = (rows: number, columns: number): Kernel => ({
  shader: 'matmul-tiled',
  constants: { TALL: rows > 64 ? 1 : 0, WIDE: columns > 64 ? 1 : 0, DEPTH: rows * columns > 128 * 64 ? 8 : 16 },
  rows,
  columns,
  threads: 256,
});

/** `rows` and `columns` are a thread's; so many lanes side by side share rows, so many teams of lanes lie below one another. */
const registers = (shader: string, rows: number, columns: number, lanes: number, teams: number): Kernel => ({
  shader,
  constants: { LANES: lanes, TEAMS: teams, ROWS: rows, WIDE: columns > 4 ? 1 : 0 },
  rows: rows * teams,
  columns: columns * lanes,
  threads: lanes * teams,
});

function kernelOf(name: Exclude<KernelName, 'split'>, traits: DeviceTraits): Kernel {
  const lanes = traits.minSubgroup >= 8 ? 8 : 4;
  switch (name) {
    case 'naive':
      return { shader: 'matmul', anyWidth: true, constants: {}, rows: 8, columns: 8, threads: 64 };
    case 'tiled-64x64':
      return tiled(64, 64);
    case 'tiled-128x128':
      return tiled(128, 128);
    case 'registers-8x8':
      return registers('matmul-registers', 8, 8, 8, 8);
    case 'subgroups-4x4':
      return registers('matmul-subgroups', 4, 4, lanes, 1);
    case 'subgroups-16x4':
      return registers('matmul-subgroups', 16, 4, lanes, 1);
    case 'subgroups-32x8':
      return registers('matmul-subgroups', 32, 8, lanes, 1);
  }
}

/** Kernels worth trying for a product, best guess for a GPU first. */
export function productKernels({ m, n, k, batch = 1 }: Sizes, traits: DeviceTraits): KernelName[] {
  const fast: KernelName[] = [];
  const few = batch * Math.ceil(m / 64) * Math.ceil(n / 64) < 128;
  if (few && k >= 512 && batch === 1) fast.push('split');
  fast.push(m >= 512 && n >= 512 ? 'tiled-128x128' : 'tiled-64x64');
  if (traits.minSubgroup >= 4) fast.push(m <= 8 ? 'subgroups-4x4' : 'subgroups-32x8', 'subgroups-16x4');
  fast.push('registers-8x8');
  if (m * n * k * batch <= 32 ** 3) fast.push('naive');
  return fast;
}

/** The dispatches of a product by a kernel. `extra` and `bias` are read once a result, `slope` whenever A is. */
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
  };
  const common = {
    shader: shaderOf(kernel, n),
    entry: p.kept ? 'matmul_kept' : 'matmul',
    constants: {
      ...kernel.constants,
      FORM: forms[form],
      ...readConstants(aWidth, bWidth, k % 4 !== 0),
      ...(p.slope && { SLOPE: activationKinds[p.slope.kind] }),
      ...finishConstants(p),
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
  const { a, b, slope, form } = p;
  const sums: Product = { form, m, n, k, batch: parts, a, b, c, slope };
  const params = { m, n, k: parts, lda: 0, ldb: 0, a_batch: 0, b_batch: 0, first: 0, k_total: 0xffffffff };
  return [
    ...plainLaunches(sums, kernelOf('tiled-64x64', context.traits), context, { stepK }),
    {
      shader: 'matmul-combine',
      entry: p.kept ? 'combine_kept' : 'combine',
      constants: { A_VECTORS: n % 4 === 0 ? 1 : 0, ...finishConstants(p) },
      params: { ...params, dx_tiles: 0, dw_tiles: 0 },
      bind: { ...bindings(p, context), a: c, slope: c },
      grid: gridOf(m * Math.ceil(n / 4), 64),
      flops: parts * m * n,
    },
  ];
}

/** The gradients of y = x·wᵀ + b, of which any may be left out: dx = dz·w (touched by `extra`), dw = dzᵀ·x, db = column sums of dz. */
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
  /** dz = dy times the derivative of an activation at a tensor like dy. */
  readonly slope?: Touch<Activation> | undefined;
  readonly extra?: Touch<Extra> | undefined;
}

/** Kernels worth trying for all gradients in one dispatch. */
export function backwardKernels(rows: number, ins: number, outs: number, traits: DeviceTraits): KernelName[] {
  const products: Sizes[] = [
    { form: 'NN', m: rows, n: ins, k: outs },
    { form: 'TN', m: outs, n: ins, k: rows },
  ];
  return [...new Set(products.flatMap((p) => productKernels(p, traits)))];
}

/** The gradients by a kernel: one dispatch, except `split`, which has K in parts in each product. */
export function backwardLaunches(g: BackwardProducts, name: KernelName, context: LaunchContext): Launch[] {
  const { rows, ins, outs, dy, x, w, dx, dw, db, slope, extra } = g;
  if (name === 'split') {
    const launches: Launch[] = [];
    if (dx) {
      const size: Sizes = { form: 'NN', m: rows, n: ins, k: outs };
      launches.push(...productLaunches({ ...size, a: dy, b: w, c: dx, slope, extra }, splitOr(size, context), context));
    }
    if (dw) {
      const size: Sizes = { form: 'TN', m: outs, n: ins, k: rows };
      launches.push(...productLaunches({ ...size, a: dy, b: x, c: dw, slope }, splitOr(size, context), context));
    }
    if (db) launches.push(...backwardLaunches({ ...g, dx: undefined, dw: undefined }, 'tiled-64x64', context));
    return launches;
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
        ...(slope && { SLOPE: activationKinds[slope.kind] }),
        ...finishConstants({ extra }),
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
      },
      bind: {
        a: dy,
        b: w,
        other: x,
        slope: slope?.value ?? dy,
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

const splitOr = (size: Sizes, { traits }: LaunchContext): KernelName =>
  productKernels(size, traits).includes('split') ? 'split' : 'tiled-64x64';

const shaderOf = (kernel: Kernel, width: number): string =>
  kernel.anyWidth || width % 4 === 0 ? kernel.shader : `${kernel.shader}-odd`;

const readConstants = (aWidth: number, bWidth: number, tail: boolean): Record<string, number> => ({
  A_VECTORS: aWidth % 4 === 0 ? 1 : 0,
  B_VECTORS: bWidth % 4 === 0 ? 1 : 0,
  K_TAIL: tail ? 1 : 0,
});

const finishConstants = ({ bias, activation = 'none', extra }: Partial<Product>): Record<string, number> => ({
  ...(bias && { BIAS: 1 }),
  ...(activation !== 'none' && { ACTIVATION: activationKinds[activation] }),
  ...(extra && { EXTRA: extra.kind === 'add' ? 4 : activationKinds[extra.kind] }),
});

const bindings = (p: Product, context: LaunchContext): Record<string, Value> => ({
  a: p.a,
  b: p.b,
  other: p.bias ?? p.b,
  slope: p.slope?.value ?? p.a,
  extra: p.extra?.value ?? p.b,
  y: p.c,
  y2: p.kept ?? context.scratch('f32', [64]),
});
