// The gradients of a linear layer in one dispatch: some workgroups compute dx, others dw, others db.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, matrixOf, show, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import type { DeviceTraits } from '../device-traits.ts';
import type { DropoutAttrs } from '../elementwise/elementwise-ops.ts';
import { attrsOf, type Builder, defineOp, type Launch, type TensorTypes, type Value } from '../op.ts';
import { expectDropout, expectType } from '../type-checks.ts';
import { gridOf, samplePadding, wholeVectors } from '../work-division.ts';
import {
  naiveProduct,
  type Operands,
  type ProductVariant,
  productKernel,
  productKernels,
  productTile,
  type Sizes,
  tilesOf,
} from './matmul-kernels.ts';
import {
  type Epilogue,
  type EpilogueDropout,
  type EpilogueKind,
  epilogueDropout,
  epilogueParams,
  type Product,
  type ProductContext,
  productLaunches,
  productShader,
  readConstants,
  unusedParams,
} from './matmul-launches.ts';

/** Which gradients to compute. */
export type WantedGradients = { readonly dx: boolean; readonly dw: boolean; readonly db: boolean };

/**
 * dy [..,O] (or padded with zeros to whole vectors, as y of a padded linear), x [..,I], w [O,I], the operand
 * of the epilogue [..,I], step if there is dropout. Outputs, if wanted: dx = dy·w [..,I], dw = dyᵀ·x [O,I],
 * db = Σ_rows dy [O].
 */
export const linearBackwardOp = defineOp({
  name: 'linear_backward',
  inputs: ['dy', 'x', 'w', 'operand?', 'step?'],
  outputs: ['dx?', 'dw?', 'db?'],
  /**
   * Which gradients are wanted, and the epilogue of dx: `add` adds a tensor (the gradient of a residual
   * path), an activation multiplies by its derivative (that of the layer below). Dropout acts on dx before an
   * addition.
   */
  attrs: attrsOf<WantedGradients & { readonly epilogue: EpilogueKind | 'none' } & Partial<DropoutAttrs>>(),
  shape({ dy, x, w, operand, step }, { dx, dw, db, epilogue, rate = 0 }) {
    const ofOuts = [dim(w, 0), wholeVectors(dim(w, 0))].includes(matrixOf(dy.shape).cols);
    const fits = w.shape.length === 2 && ofOuts && dim(w, 1) === matrixOf(x.shape).cols;
    check(
      fits && matrixOf(x.shape).rows === matrixOf(dy.shape).rows,
      () => msg`dy ${show(dy.shape)}, x ${show(x.shape)} and w ${show(w.shape)} do not fit`,
      { area: 'linear_backward' },
    );
    if (epilogue !== 'none') expectType('linear_backward', 'operand', operand, 'f32', x.shape, 'as dx');
    expectDropout('linear_backward', rate, step);
    check(dx || dw || db, 'no gradient is wanted', { area: 'linear_backward' });
    const f32 = (wanted: boolean, { shape }: Pick<TensorType, 'shape'>) =>
      wanted ? tensorType('f32', shape) : undefined;
    return { dx: f32(dx, x), dw: f32(dw, w), db: f32(db, { shape: [dim(w, 0)] }) };
  },
  f16Storage: ['dy', 'x', 'w', 'operand', 'dx'],
  naive: naiveProduct,
  sample: ({ dy, w }) => ({ dy: samplePadding(dim(w, 0), dim(dy, -1)) }),
  variants: ({ dy, x, w }: TensorTypes<'dy' | 'x' | 'w'>, _attrs: unknown, traits: DeviceTraits) => {
    const { rows, cols } = matrixOf(x.shape);
    return backwardKernels(rows, cols, dim(w, 0), [dy, x, w], traits);
  },
  modelFlops: ({ dy, w }, { dx, dw }) =>
    2 * matrixOf(dy.shape).rows * sizeOf(w.shape) * ((dx ? 1 : 0) + (dw ? 1 : 0)),
  launch({ dy, x, w, operand, step }, gradients, attrs, context) {
    const epilogue = attrs.epilogue !== 'none' && operand ? { kind: attrs.epilogue, operand } : undefined;
    return backwardLaunches(
      { dy, x, w, ...gradients, epilogue, dropout: epilogueDropout(step, attrs) },
      context,
    );
  },
});

/** The wanted gradients of y = x·wᵀ + b from dy. */
export function linearBackward(
  builder: Builder,
  dy: Value,
  x: Value,
  w: Value,
  wanted: WantedGradients,
): { readonly dx?: Value; readonly dw?: Value; readonly db?: Value } {
  if (!wanted.dx && !wanted.dw && !wanted.db) return {};
  return builder.apply(linearBackwardOp, { dy, x, w }, { ...wanted, epilogue: 'none' });
}

/** Variants worth timing for all gradients of a linear layer; the operands are dy, x and w. */
export function backwardKernels(
  rows: number,
  ins: number,
  outs: number,
  operands: Operands,
  traits: DeviceTraits,
): ProductVariant[] {
  const sizes = backwardSizes(rows, ins, outs);
  const split = productKernelsOf(sizes).filter(({ slices }) => slices);
  const tiles = sizes.reduce((sum, p) => sum + tilesOf(p), 0);
  const larger: Sizes = { form: 'TN', m: Math.max(rows, outs), n: ins, k: Math.min(rows, outs) };
  const others = productKernelsOf([larger]).filter(({ slices, family }) => !slices && family !== 'dots');
  // dx and dw are one dispatch, so their tiles count together. With few tiles split K is timed first.
  return tiles < 32 ? [...split, ...others] : [...others, ...split];

  function productKernelsOf(all: readonly Sizes[]): ProductVariant[] {
    const byName = new Map<string, ProductVariant>();
    for (const variant of all.flatMap((p) => productKernels(p, operands, traits)))
      if (!byName.has(variant.name)) byName.set(variant.name, variant);
    return [...byName.values()];
  }
}

/** The products of a linear layer's backward pass. */
const backwardSizes = (rows: number, ins: number, outs: number): [Sizes, Sizes] => [
  { form: 'NN', m: rows, n: ins, k: outs }, // dx
  { form: 'TN', m: outs, n: ins, k: rows }, // dw
];

/** The tensors of a backward pass; gradients may be absent. */
interface BackwardProducts {
  /** [rows, outs], or padded to whole vectors; elements past `outs` are 0. */
  readonly dy: Value;
  readonly x: Value; // [rows, ins]
  readonly w: Value; // [outs, ins]
  readonly dx?: Value;
  readonly dw?: Value;
  readonly db?: Value;
  readonly epilogue?: Epilogue;
  readonly dropout?: EpilogueDropout;
  /** Add to the content of dw and db; variants that split K do not support it. */
  readonly accumulate?: boolean;
}

/** The kernel of db in variants that split K. */
const biasKernel = productTile('tiled', 64, 64);

/** The gradients by a variant: one dispatch, except those that split K in each product. */
export function backwardLaunches(
  g: BackwardProducts,
  context: ProductContext,
  variant = context.variant,
): Launch[] {
  const { dy, x, w, dx, dw, db, epilogue, dropout, accumulate = false } = g;
  const { rows, cols: ins } = matrixOf(x.shape);
  const [outs, dyWidth] = [dim(w, 0), dim(dy, -1)];
  const { slices } = variant;
  if (slices) {
    const [dxSize, dwSize] = backwardSizes(rows, ins, outs);
    return [
      ...(dx
        ? splitIfFew({ ...dxSize, a: dy, lda: dyWidth, b: w, c: dx, epilogue, dropout }, context, variant)
        : []),
      ...(dw ? splitIfFew({ ...dwSize, a: dy, lda: dyWidth, b: x, c: dw }, context, variant) : []),
      ...(db ? backwardLaunches({ ...g, dx: undefined, dw: undefined }, context, biasKernel) : []),
    ];
  }
  const kernel = productKernel(variant, [dy, x, w], context.traits);
  const columns = Math.ceil(ins / kernel.columns);
  const dxTiles = dx ? columns * Math.ceil(rows / kernel.rows) : 0;
  const dwTiles = dw ? columns * Math.ceil(outs / kernel.rows) : 0;
  const dbGroups = db ? Math.ceil(outs / (4 * kernel.threads)) : 0;
  return [
    {
      shader: productShader(kernel, ins, [dy, x, w]),
      entry: 'linear_backward',
      constants: { ...kernel.constants, ...readConstants(kernel, dyWidth, ins, outs, rows) },
      subgroupSize: kernel.subgroupSize,
      params: {
        ...unusedParams,
        m: rows,
        n: ins,
        k: outs,
        lda: dyWidth,
        ldb: ins,
        ldc: ins,
        dx_tiles: dxTiles,
        dw_tiles: dwTiles,
        ...epilogueParams({ epilogue, dropout }),
        accumulate: accumulate ? 1 : 0,
      },
      bind: {
        a: dy,
        b: w,
        bias: x,
        epilogue: epilogue?.operand,
        y: dx,
        y2: dw,
        db,
        step: dropout?.step,
      },
      grid: gridOf(dxTiles + dwTiles + dbGroups, 1),
      flops: 2 * rows * ins * outs * ((dx ? 1 : 0) + (dw ? 1 : 0)) + (db ? rows * outs : 0),
    },
  ];
}

/**
 * Launches a product by split K if it has few tiles, otherwise by the kernel of the slices, without a split.
 */
const splitIfFew = (p: Product, context: ProductContext, variant: ProductVariant): Launch[] => {
  const usesSplitK = productKernels(p, [p.a, p.b], context.traits).some(({ slices }) => slices);
  return productLaunches(p, context, usesSplitK ? variant : (variant.slices ?? variant));
};
