// Matrix products as an op of their own, plain or in batches. Linear layers have bias and activation too: see linear.ts.

import { check } from '../../core/errors.ts';
import { matrixOf, type Shape, sameShape, show, sizeOf, type TensorType } from '../../core/tensor.ts';
import { expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, type Value } from '../op.ts';
import { type Form, type KernelName, productKernels, type Sizes } from './matmul-kernels.ts';
import { productLaunches } from './matmul-launches.ts';

/**
 * Which operand is transposed (never both), and whether the leading axes of both are a batch of matrices. Without `batched` they are
 * flattened into rows: of a where nothing or b is transposed, of both where a is.
 */
export type MatmulAttrs = { readonly transA: boolean; readonly transB: boolean; readonly batched: boolean };

/**
 * Inputs a and b, output c = a·b. Shapes by [transA, transB]: a [..,M,K] · b [K,N] or, transposed, [N,K], giving [..,M,N]; with
 * transA a [..,M] and b [..,N] over the same rows, giving [M,N]. Batched: the last two axes are the matrices, those before agree.
 */
export const matmulOp = defineOp<MatmulAttrs>({
  name: 'matmul',
  shape(inputs, attrs) {
    const a = inputAt('matmul', inputs, 0, 'a');
    const b = inputAt('matmul', inputs, 1, 'b');
    return [{ dtype: 'f32', shape: productShape(a, b, attrs) }];
  },
  variants: ({ attrs, inputs, outputs }, traits) => productKernels(sizesOf(attrs, inputs, outputs[0]!.shape), traits),
  launch({ attrs, inputs, outputs: [c] }, context) {
    const [a, b] = inputs as [Value, Value];
    const product = { ...sizesOf(attrs, inputs, c!.shape), a, b, c: c! };
    return productLaunches(product, context.variant as KernelName, context);
  },
  grad(builder, { attrs, inputs: [a, b] }, [dc]) {
    if (!dc) return [];
    const { transA, transB, batched } = attrs;
    const product = (x: Value, y: Value, form: Form) =>
      matmul(builder, x, y, { transA: form === 'TN', transB: form === 'NT', batched });
    const da = builder.needs(a!) && (transA ? product(b!, dc, 'NT') : product(dc, b!, transB ? 'NN' : 'NT'));
    const db = builder.needs(b!) && (transB ? product(dc, a!, 'TN') : product(a!, dc, transA ? 'NN' : 'TN'));
    return [da || undefined, db || undefined];
  },
  reference({ attrs, inputs, outputs: [c] }) {
    const [a, b] = inputs.map((x) => x.data) as [Float64Array, Float64Array];
    const { form, m, n, k, batch = 1 } = sizesOf(attrs, inputs, c!.shape);
    for (let z = 0; z < batch; z++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let l = 0; l < k; l++) {
            const ai = form === 'TN' ? l * m + i : i * k + l;
            const bi = form === 'NT' ? j * k + l : l * n + j;
            sum += a[z * m * k + ai]! * b[z * k * n + bi]!;
          }
          c!.data[(z * m + i) * n + j] = sum;
        }
  },
});

/** a·b, either transposed; see `matmulOp` for the shapes. */
export function matmul(builder: Builder, a: Value, b: Value, attrs: Partial<MatmulAttrs> = {}): Value {
  const { transA = false, transB = false, batched = false } = attrs;
  return builder.apply(matmulOp, [a, b], { transA, transB, batched })[0]!;
}

function productShape(a: TensorType, b: TensorType, { transA, transB, batched }: MatmulAttrs): Shape {
  expectType('matmul', 'a', a, 'f32');
  expectType('matmul', 'b', b, 'f32');
  const both = `a ${show(a.shape)}${transA ? 'ᵀ' : ''} · b ${show(b.shape)}${transB ? 'ᵀ' : ''}`;
  check(!(transA && transB), () => `matmul: ${both} transposes both; take the transpose of b · a`);
  const fits = a.shape.length >= 2 && b.shape.length >= 2;
  check(fits, () => `matmul: ${both}, each must have two axes or more`);
  const before = (x: TensorType) => x.shape.slice(0, -2);
  if (batched)
    check(sameShape(before(a), before(b)), () => `matmul: batches differ, ${both}; their leading axes must be equal`);
  else if (!transA) check(b.shape.length === 2, () => `matmul: b has a batch, ${both}; ask for batched or flatten b`);
  const [aRows, aCols] = batched ? a.shape.slice(-2) : [matrixOf(a.shape).rows, matrixOf(a.shape).cols];
  const [bRows, bCols] = batched ? b.shape.slice(-2) : [matrixOf(b.shape).rows, matrixOf(b.shape).cols];
  check((transA ? aRows : aCols) === (transB ? bCols : bRows), () => `matmul: inner sizes differ, ${both}`);
  if (transA && !batched)
    check(sameShape(a.shape.slice(0, -1), b.shape.slice(0, -1)), () => `matmul: rows differ, ${both}`);
  const n = (transB ? bRows : bCols) as number;
  if (transA) return [...(batched ? before(a) : []), aCols as number, n];
  return [...a.shape.slice(0, -1), n];
}

function sizesOf(attrs: MatmulAttrs, inputs: readonly { shape: Shape }[], c: Shape): Sizes {
  const { transA, transB, batched } = attrs;
  const form = transA ? 'TN' : transB ? 'NT' : 'NN';
  const a = inputs[0]!.shape;
  const [rows, n] = [matrixOf(c).rows, matrixOf(c).cols];
  const batch = batched ? sizeOf(c.slice(0, -2)) : 1;
  const k = !transA ? matrixOf(a).cols : batched ? a[a.length - 2]! : matrixOf(a).rows;
  return { form, m: rows / batch, n, k, batch };
}
