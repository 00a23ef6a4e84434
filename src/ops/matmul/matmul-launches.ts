// The launches of matrix products: how a product, what follows it and its kernel are put into the terms of shaders/matmul/matmul-operands.wgsl.

import { type Activation, activationKinds } from '../elementwise/activation-functions.ts';
import { type DropoutAttrs, dropoutFields } from '../elementwise/dropout.ts';
import { gridOf, type Launch, type LaunchContext, type Value } from '../op.ts';
import {
  backwardSizes,
  type Form,
  type Kernel,
  type KernelName,
  kernelOf,
  productKernels,
  type Sizes,
} from './matmul-kernels.ts';

/** The numbers of the forms in WGSL. */
const forms: Readonly<Record<Form, number>> = { NN: 0, NT: 1, TN: 2 };

/** What else happens to results: `add` adds a tensor, an activation multiplies by its derivative at a tensor. */
export type Extra = 'add' | Exclude<Activation, 'none'>;

/** What is done to C, with the tensor that it takes; the tensor has the shape of C. */
export interface Touch {
  readonly kind: Extra;
  readonly value: Value;
}

/** Dropout of C, by the scalars of a run. */
export type Dropped = DropoutAttrs & { readonly step: Value };

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
  /** After all but an addition. */
  readonly dropout?: Dropped | undefined;
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

/** The gradients of y = x·wᵀ + b, of which any may be left out: dx = dy·w (with `extra` and `dropout`), dw = dyᵀ·x, db = column sums of dy. */
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
  readonly dropout?: Dropped | undefined;
  /** Adds to the dw and db that are there; not by `split`. */
  readonly accumulate?: boolean;
}

/** The gradients by a kernel: one dispatch, except `split`, which has K in parts in each product. */
export function backwardLaunches(g: BackwardProducts, name: KernelName, context: LaunchContext): Launch[] {
  const { rows, ins, outs, dy, x, w, dx, dw, db, extra, dropout, accumulate = false } = g;
  if (name === 'split') {
    const [dxSize, dwSize] = backwardSizes(rows, ins, outs);
    return [
      ...(dx ? splitIfFew({ ...dxSize, a: dy, b: w, c: dx, extra, dropout }, context) : []),
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
        ...finishParams({ extra, dropout }),
        accumulate: accumulate ? 1 : 0,
      },
      bind: {
        a: dy,
        b: w,
        bias: x,
        epilogue: extra?.value ?? dy,
        y: dx ?? unused(),
        y2: dw ?? unused(),
        db: db ?? unused(),
        ...(dropout && { step: dropout.step }),
      },
      grid: gridOf(dxTiles + dwTiles + dbGroups, 1),
      flops: 2 * rows * ins * outs * ((dx ? 1 : 0) + (dw ? 1 : 0)) + (db ? rows * outs : 0),
    },
  ];
}

const splitIfFew = (p: Product, context: LaunchContext): Launch[] =>
  productLaunches(p, productKernels(p, context.traits).includes('split') ? 'split' : 'tiled-64x64', context);

const shaderOf = (kernel: Kernel, width: number): string =>
  kernel.anyWidth || width % 4 === 0 ? kernel.shader : `${kernel.shader}-scalar`;

const readConstants = (aWidth: number, bWidth: number, tail: boolean): Record<string, number> => ({
  A_VECTORS: aWidth % 4 === 0 ? 1 : 0,
  B_VECTORS: bWidth % 4 === 0 ? 1 : 0,
  K_TAIL: tail ? 1 : 0,
});

const finishParams = ({ bias, activation = 'none', extra, dropout }: Partial<Product>): Record<string, number> => ({
  bias: bias ? 1 : 0,
  activation: activationKinds[activation],
  epilogue: !extra ? 0 : extra.kind === 'add' ? 4 : activationKinds[extra.kind],
  accumulate: 0,
  ...dropoutFields(dropout ?? { rate: 0, site: 0 }),
});

const bindings = (p: Product, context: LaunchContext): Record<string, Value> => ({
  a: p.a,
  b: p.b,
  bias: p.bias ?? p.b,
  epilogue: p.extra?.value ?? p.b,
  y: p.c,
  y2: p.kept ?? context.scratch('f32', [64]),
  ...(p.dropout && { step: p.dropout.step }),
});
