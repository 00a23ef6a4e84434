// The launches of matrix products: a product, its epilogue and its kernel in the terms of
// shaders/matmul/matmul-operands.wgsl.

import { type DropoutAttrs, dropoutFields } from '../dropout-mask.ts';
import { type Activation, activationKinds } from '../elementwise/activation-functions.ts';
import { gridOf, type Launch, type LaunchContext, type Value } from '../op.ts';
import {
  backwardSizes,
  type Form,
  type Kernel,
  kernelOf,
  type Operands,
  productKernels,
  type Sizes,
  splitsK,
} from './matmul-kernels.ts';

/** The numbers of the forms in WGSL. */
const forms: Readonly<Record<Form, number>> = { NN: 0, NT: 1, TN: 2 };

/** An epilogue with an operand: `add` adds it, an activation multiplies by its derivative there. */
export type EpilogueKind = 'add' | Exclude<Activation, 'none'>;

/** The number of `add` in WGSL, after those of the activations. */
const addKind = 1 + Math.max(...Object.values(activationKinds));

/** An epilogue of C and its operand, which has the shape of C. */
export interface Epilogue {
  readonly kind: EpilogueKind;
  readonly operand: Value;
}

/** Dropout of C, by the scalars of the step. */
export type EpilogueDropout = DropoutAttrs & { readonly step: Value };

/** The dropout of an op's attributes and its optional input `step`; undefined if it has none. */
export const epilogueDropout = (
  step: Value | undefined,
  { rate = 0, site = 0 }: Partial<DropoutAttrs>,
): EpilogueDropout | undefined => (rate > 0 && step ? { rate, site, step } : undefined);

/** C = A·B and its epilogue, in this order: bias, activation, `epilogue`, dropout (before `epilogue` if that adds). */
export interface Product extends Sizes {
  readonly a: Value;
  readonly b: Value;
  readonly c: Value;
  /** [N], added to every row. */
  readonly bias?: Value | undefined;
  /** Default none. */
  readonly activation?: Activation;
  /** Where to store C + bias, if the gradient of the activation needs it; as C. */
  readonly activationInput?: Value | undefined;
  readonly epilogue?: Epilogue | undefined;
  readonly dropout?: EpilogueDropout | undefined;
}

/** The dispatches of a product by the variant of `context`, or another. */
export const productLaunches = (p: Product, context: LaunchContext, variant = context.variant): Launch[] =>
  splitsK(variant)
    ? splitLaunches(p, context, sliceKernel(variant))
    : batchLaunches(p, kernelOf(variant, [p.a, p.b], context.traits), context);

/** The variant that computes the slices of a variant that splits K. */
const sliceKernel = (variant: string): string => (variant === 'split' ? 'tiled-64x64' : 'matrix-64x64');

const maxGroups = 65535;

/** Params that a plain product does not use. */
const unusedParams = {
  lda: 0,
  ldb: 0,
  a_batch: 0,
  b_batch: 0,
  first: 0,
  k_total: 0xffffffff,
  dx_tiles: 0,
  dw_tiles: 0,
};

/**
 * One dispatch for every 65,535 products. With `stepK` the products are slices of K of one product, each `stepK` long.
 */
function batchLaunches(p: Product, kernel: Kernel, context: LaunchContext, stepK = 0): Launch[] {
  const { form, m, n, k, batch = 1 } = p;
  const [aWidth, bWidth] = [form === 'TN' ? m : k, form === 'NT' ? k : n];
  const params = {
    ...unusedParams,
    ...{ m, n, k: stepK || k, lda: aWidth, ldb: bWidth },
    a_batch: stepK ? (form === 'TN' ? stepK * m : stepK) : m * k,
    b_batch: stepK ? (form === 'NT' ? stepK : stepK * n) : n * k,
    k_total: stepK ? k : 0xffffffff,
    ...epilogueParams(p),
  };
  const common = {
    shader: shaderOf(kernel, n, [p.a, p.b]),
    entry: p.activationInput ? 'matmul_kept' : 'matmul',
    constants: { ...kernel.constants, FORM: forms[form], ...readConstants(kernel, aWidth, bWidth, k) },
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

/** Split-K: slices of K by a variant, each with a C of its own, and their sum in order. */
function splitLaunches(p: Product, context: LaunchContext, variant: string): Launch[] {
  const { form, m, n, k, a, b } = p;
  const kernel = kernelOf(variant, [a, b], context.traits);
  const tiles = Math.ceil(m / kernel.rows) * Math.ceil(n / kernel.columns);
  const depth = kernel.constants.DEPTH ?? 4;
  const stepK = Math.max(64, Math.ceil(k / Math.ceil(256 / tiles) / depth) * depth);
  const batch = Math.ceil(k / stepK);
  const c = context.scratch('f32', [batch, m, n]);
  return [
    ...batchLaunches({ form, m, n, k, batch, a, b, c }, kernel, context, stepK),
    {
      shader: 'matmul-combine',
      entry: p.activationInput ? 'combine_kept' : 'combine',
      constants: { A_VECTORS: n % 4 === 0 ? 1 : 0 },
      params: { ...unusedParams, m, n, k: batch, ...epilogueParams(p) },
      bind: { ...bindings(p, context), a: c },
      grid: gridOf(m * Math.ceil(n / 4), 64),
      flops: batch * m * n,
    },
  ];
}

/**
 * The gradients of y = x·wᵀ + b, any of which may be absent: dx = dy·w and its epilogue, dw = dyᵀ·x, db = column sums
 * of dy.
 */
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
  readonly epilogue?: Epilogue | undefined;
  readonly dropout?: EpilogueDropout | undefined;
  /** Add to the content of dw and db; variants that split K do not support it. */
  readonly accumulate?: boolean;
}

/** The gradients by a variant: one dispatch, except those that split K in each product. */
export function backwardLaunches(g: BackwardProducts, context: LaunchContext, variant = context.variant): Launch[] {
  const { rows, ins, outs, dy, x, w, dx, dw, db, epilogue, dropout, accumulate = false } = g;
  if (splitsK(variant)) {
    const [dxSize, dwSize] = backwardSizes(rows, ins, outs);
    return [
      ...(dx ? splitIfFew({ ...dxSize, a: dy, b: w, c: dx, epilogue, dropout }, context, variant) : []),
      ...(dw ? splitIfFew({ ...dwSize, a: dy, b: x, c: dw }, context, variant) : []),
      ...(db ? backwardLaunches({ ...g, dx: undefined, dw: undefined }, context, 'tiled-64x64') : []),
    ];
  }
  const kernel = kernelOf(variant, [dy, x, w], context.traits);
  const columns = Math.ceil(ins / kernel.columns);
  const dxTiles = dx ? columns * Math.ceil(rows / kernel.rows) : 0;
  const dwTiles = dw ? columns * Math.ceil(outs / kernel.rows) : 0;
  const dbGroups = db ? Math.ceil(outs / (4 * kernel.threads)) : 0;
  const unused = () => context.scratch('f32', [64]);
  return [
    {
      shader: shaderOf(kernel, ins, [dy, x, w]),
      entry: 'linear_backward',
      constants: { ...kernel.constants, ...readConstants(kernel, outs, ins, outs, rows) },
      params: {
        ...unusedParams,
        ...{ m: rows, n: ins, k: outs, lda: outs, ldb: ins, dx_tiles: dxTiles, dw_tiles: dwTiles },
        ...epilogueParams({ epilogue, dropout }),
        accumulate: accumulate ? 1 : 0,
      },
      bind: {
        a: dy,
        b: w,
        bias: x,
        epilogue: epilogue?.operand ?? dy,
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

/** A product by a variant that splits K if its tiles are few, else by the kernel of its slices. */
const splitIfFew = (p: Product, context: LaunchContext, variant: string): Launch[] => {
  const few = productKernels(p, [p.a, p.b], context.traits).some(splitsK);
  return productLaunches(p, context, few ? variant : sliceKernel(variant));
};

/** The shader for rows of C of `width` numbers. Tiles in workgroup memory are f16 if all operands are. */
function shaderOf({ shader, anyWidth }: Kernel, width: number, operands: Operands): string {
  if (anyWidth) return shader;
  const [matrix, tiled] = [shader === 'matmul-matrix', shader === 'matmul-tiled'];
  const isScalar = width % 4 !== 0;
  const isF16 = (matrix || (tiled && !isScalar)) && operands.every(({ dtype }) => dtype === 'f16');
  return [shader, ...(isF16 ? ['f16'] : []), ...(isScalar ? ['scalar'] : [])].join('-');
}

/**
 * How operands are read: in vectors if their rows are whole vectors; with checks if a K is no multiple of the kernel's
 * step along K.
 */
const readConstants = (kernel: Kernel, aWidth: number, bWidth: number, ...ks: number[]): Record<string, number> => ({
  A_VECTORS: aWidth % 4 === 0 ? 1 : 0,
  B_VECTORS: bWidth % 4 === 0 ? 1 : 0,
  K_TAIL: ks.some((k) => k % (kernel.constants.DEPTH ?? 4) !== 0) ? 1 : 0,
});

const epilogueParams = ({
  bias,
  activation = 'none',
  epilogue,
  dropout,
}: Partial<Product>): Record<string, number> => ({
  bias: bias ? 1 : 0,
  activation: activationKinds[activation],
  epilogue: !epilogue ? 0 : epilogue.kind === 'add' ? addKind : activationKinds[epilogue.kind],
  accumulate: 0,
  ...dropoutFields(dropout ?? { rate: 0, site: 0 }),
});

const bindings = (p: Product, context: LaunchContext): Record<string, Value> => ({
  a: p.a,
  b: p.b,
  bias: p.bias ?? p.b,
  epilogue: p.epilogue?.operand ?? p.b,
  y: p.c,
  y2: p.activationInput ?? context.scratch('f32', [64]),
  ...(p.dropout && { step: p.dropout.step }),
});
