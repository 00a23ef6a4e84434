// Matrix products as an op of their own, plain or batched. linear.ts has those with bias and activation.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import {
  dim,
  matrixOf,
  type Shape,
  sameShape,
  show,
  sizeOf,
  type TensorType,
  tensorType,
} from '../../../core/tensor.ts';
import type { DeviceTraits } from '../device-traits.ts';
import { applyOp, attrsOf, type Builder, defineOp, type TensorTypes, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { naiveProduct, productKernels, type Sizes } from './matmul-kernels.ts';
import { productLaunches } from './matmul-launches.ts';

/**
 * Which operand is transposed (never both), and whether the leading axes of both are a batch of matrices.
 * Without `batched` they are flattened into rows: of a if nothing or b is transposed, of both if a is.
 */
export type MatmulAttrs = { readonly transA: boolean; readonly transB: boolean; readonly batched: boolean };

/**
 * c = a·b. Shapes by [transA, transB]: a [..,M,K] · b [K,N] or, transposed, [N,K], giving [..,M,N]; with
 * transA a [..,M] and b [..,N] over the same rows, giving [M,N]. Batched: the last two axes are the matrices,
 * those before agree.
 */
export const matmulOp = defineOp({
  name: 'matmul',
  inputs: ['a', 'b'],
  outputs: ['c'],
  attrs: attrsOf<MatmulAttrs>({ transA: 'boolean', transB: 'boolean', batched: 'boolean' }),
  shape: ({ a, b }, attrs) => ({ c: tensorType('f32', productShape(a, b, attrs)) }),
  naive: naiveProduct,
  variants: ({ a, b }: TensorTypes<'a' | 'b'>, attrs: MatmulAttrs, traits: DeviceTraits) =>
    productKernels(productSizes(a, b, attrs), [a, b], traits),
  modelFlops: ({ a }, { c }, { transA }) => 2 * sizeOf(c.shape) * dim(a, transA ? -2 : -1),
  launch: ({ a, b }, { c }, attrs, context) =>
    productLaunches({ ...productSizes(a, b, attrs), a, b, c }, context),
});

/**
 * a·b, either transposed; see `matmulOp` for the shapes.
 *
 * @example
 * const [q, k] = [graph.input('q', 'f32', [8, 64]), graph.input('k', 'f32', [10, 64])];
 * const scores = matmul(graph, q, k, { transB: true }); // [8, 10]
 */
export const matmul = (builder: Builder, a: Value, b: Value, attrs: Partial<MatmulAttrs> = {}): Value =>
  applyOp(builder, matmulOp, { a, b }, { transA: false, transB: false, batched: false, ...attrs }).c;

function productShape(a: TensorType, b: TensorType, attrs: MatmulAttrs): Shape {
  const { transA, transB, batched } = attrs;
  expectType('matmul', 'a', a, 'f32');
  expectType('matmul', 'b', b, 'f32');
  const both = `a ${show(a.shape)}${transA ? 'ᵀ' : ''} · b ${show(b.shape)}${transB ? 'ᵀ' : ''}`;
  check(!(transA && transB), () => msg`${both} transposes both; take the transpose of b · a`, {
    area: 'matmul',
  });
  const fits = a.shape.length >= 2 && b.shape.length >= 2;
  check(fits, () => msg`${both}, each must have two axes or more`, { area: 'matmul' });
  const before = (x: TensorType) => x.shape.slice(0, -2);
  if (batched)
    check(
      sameShape(before(a), before(b)),
      () => msg`batches differ, ${both}; their leading axes must be equal`,
      { area: 'matmul' },
    );
  else if (!transA)
    check(b.shape.length === 2, () => msg`b has a batch, ${both}; set batched or flatten b`, {
      area: 'matmul',
    });
  const { m, n, k } = productSizes(a, b, attrs);
  const [bRows, bCols] = matrixSizes(b, batched);
  check(k === (transB ? bCols : bRows), () => msg`inner sizes differ, ${both}`, { area: 'matmul' });
  if (transA && !batched)
    check(sameShape(a.shape.slice(0, -1), b.shape.slice(0, -1)), () => msg`rows differ, ${both}`, {
      area: 'matmul',
    });
  return transA ? [...(batched ? before(a) : []), m, n] : [...a.shape.slice(0, -1), n];
}

/** Rows and columns of each matrix of a batch, or of the whole tensor as a matrix. */
function matrixSizes(x: { readonly shape: Shape }, batched: boolean): [number, number] {
  const { rows, cols } = matrixOf(x.shape);
  return [batched ? dim(x, -2) : rows, cols];
}

/** The product of a and b. */
export function productSizes(
  a: { readonly shape: Shape },
  b: { readonly shape: Shape },
  attrs: MatmulAttrs,
): Sizes {
  const { transA, transB, batched } = attrs;
  const [aRows, aCols] = matrixSizes(a, batched);
  const [bRows, bCols] = matrixSizes(b, batched);
  return {
    form: transA ? 'TN' : transB ? 'NT' : 'NN',
    m: transA ? aCols : aRows,
    n: transB ? bRows : bCols,
    k: transA ? aRows : aCols,
    batch: batched ? sizeOf(a.shape.slice(0, -2)) : 1,
  };
}
