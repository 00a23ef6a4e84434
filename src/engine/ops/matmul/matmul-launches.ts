// The launches of matrix products: a product, its epilogue and its kernel, with the params of
// shaders/matmul/matmul-operands.wgsl.

import {
  type Activation,
  activationKinds,
  type DropoutAttrs,
  dropoutFields,
} from '../elementwise/elementwise-ops.ts';
import type { Launch, LaunchContext, Value } from '../op.ts';
import { gridOf } from '../work-division.ts';
import {
  type Form,
  naiveProduct,
  type Operands,
  type ProductKernel,
  type ProductVariant,
  productKernel,
  type Sizes,
} from './matmul-kernels.ts';

/** The numbers of the forms in WGSL. */
const forms: Readonly<Record<Form, number>> = { NN: 0, NT: 1, TN: 2 };

/**
 * Epilogue with an operand: `add` adds it; an activation multiplies by its derivative there (backward pass).
 */
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

/**
 * C = A·B and its epilogue, in this order: bias, activation, `epilogue`, dropout (before `epilogue` if that
 * adds).
 */
export interface Product extends Sizes {
  readonly a: Value;
  readonly b: Value;
  readonly c: Value;
  /** Row stride of A as stored, in elements; default: its columns. Elements past the columns are 0. */
  readonly lda?: number;
  /** Row stride of C in elements; default: N. Elements past N become 0. */
  readonly ldc?: number;
  /** [N], added to every row. */
  readonly bias?: Value;
  /** Default none. */
  readonly activation?: Activation;
  /** Output: C + bias, the input of the activation, with the shape of C, if its gradient needs it. */
  readonly activationInput?: Value;
  readonly epilogue?: Epilogue;
  readonly dropout?: EpilogueDropout;
}

/** The dispatches of a product by the variant of `context`, or another. */
export const productLaunches = (p: Product, context: ProductContext, variant = context.variant): Launch[] =>
  variant.slices
    ? splitLaunches(p, context, variant.slices)
    : batchLaunches(p, productKernel(variant, [p.a, p.b], context.traits));

/** What a launch of a product reads of its context. */
export type ProductContext = Pick<
  LaunchContext<string, string, ProductVariant>,
  'variant' | 'traits' | 'scratch'
>;

const maxGroups = 65535;

/** Params that a plain product does not use. */
export const unusedParams = {
  lda: 0,
  ldb: 0,
  ldc: 0,
  a_batch: 0,
  b_batch: 0,
  first: 0,
  k_total: 0xffffffff,
  dx_tiles: 0,
  dw_tiles: 0,
};

/** One dispatch per 65,535 products. With `stepK` they are slices of K of one product, each `stepK` long. */
function batchLaunches(p: Product, kernel: ProductKernel, stepK = 0): Launch[] {
  const { form, m, n, k, batch = 1, ldc = n } = p;
  const [aWidth, bWidth] = [p.lda ?? (form === 'TN' ? m : k), form === 'NT' ? k : n];
  const params = {
    ...unusedParams,
    m,
    n,
    k: stepK || k,
    lda: aWidth,
    ldb: bWidth,
    ldc,
    a_batch: stepK ? (form === 'TN' ? stepK * aWidth : stepK) : m * k,
    b_batch: stepK ? (form === 'NT' ? stepK : stepK * n) : n * k,
    k_total: stepK ? k : 0xffffffff,
    ...epilogueParams(p),
  };
  const common = {
    shader: productShader(kernel, ldc, [p.a, p.b]),
    entry: p.activationInput ? 'matmul_kept' : 'matmul',
    constants: { ...kernel.constants, FORM: forms[form], ...readConstants(kernel, aWidth, bWidth, k) },
    subgroupSize: kernel.subgroupSize,
    bind: bindings(p),
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
function splitLaunches(p: Product, context: ProductContext, variant: ProductVariant): Launch[] {
  const { form, m, n, k, a, b, lda, ldc = n } = p;
  const kernel = productKernel(variant, [a, b], context.traits);
  const tiles = Math.ceil(m / kernel.rows) * Math.ceil(n / kernel.columns);
  const depth = kernel.constants.DEPTH ?? 4;
  const stepK = Math.max(64, Math.ceil(k / Math.ceil(256 / tiles) / depth) * depth);
  const batch = Math.ceil(k / stepK);
  const c = context.scratch('f32', [batch, m, ldc]);
  const slices = { form, m, n, k, batch, a, b, c, ldc, lda };
  return [
    ...batchLaunches(slices, kernel, stepK),
    {
      shader: productShader(productKernel(naiveProduct, [c], context.traits), ldc, [c]),
      entry: p.activationInput ? 'combine_kept' : 'combine',
      constants: { A_VECTORS: ldc % 4 === 0 ? 1 : 0 },
      params: { ...unusedParams, m, n, k: batch, lda: ldc, ldc, ...epilogueParams(p) },
      bind: { ...bindings(p), a: c },
      grid: gridOf(m * Math.ceil(n / 4), 64),
      flops: batch * m * n,
    },
  ];
}

/**
 * The shader of a kernel for rows of C of `width` numbers. Tiles in workgroup memory are f16 if all operands
 * are.
 */
export function productShader(
  { shader, subgroups = false }: ProductKernel,
  width: number,
  operands: Operands,
): string {
  const staged = shader === 'matmul-matrix' || shader === 'matmul-tiled';
  const f16 = staged && operands.every(({ dtype }) => dtype === 'f16');
  const scalar = width % 4 !== 0;
  const conditions = Object.entries({ f16, scalar, subgroups }).filter(([, holds]) => holds);
  return [shader, ...conditions.map(([name]) => name)].join('-');
}

/**
 * How operands are read: in vectors if their rows are whole vectors; K_TAIL: a K is not a multiple of the
 * step.
 */
export const readConstants = (
  kernel: ProductKernel,
  aWidth: number,
  bWidth: number,
  ...ks: number[]
): Record<string, number> => ({
  A_VECTORS: aWidth % 4 === 0 ? 1 : 0,
  B_VECTORS: bWidth % 4 === 0 ? 1 : 0,
  K_TAIL: ks.some((k) => k % (kernel.constants.DEPTH ?? 4) !== 0) ? 1 : 0,
});

/** Params of the epilogue of a product. */
export const epilogueParams = ({
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

const bindings = (p: Product): Launch['bind'] => ({
  a: p.a,
  b: p.b,
  bias: p.bias,
  epilogue: p.epilogue?.operand,
  y: p.c,
  y2: p.activationInput,
  step: p.dropout?.step,
});
