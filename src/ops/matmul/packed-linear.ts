// Linear layers whose weights are kept as f16 or int8 and unpacked as they are read; for inference, without a gradient.

import { matrixOf, sizeOf } from '../../core/tensor.ts';
import { expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, type Value } from '../op.ts';
import { maxDots } from './matmul-kernels.ts';
import { cellsOf, expectPacked, type PackedFormat, unpacked } from './packed-weights.ts';

/** How the weights are kept, and whether there is a bias. */
export type PackedLinearAttrs = { readonly format: PackedFormat; readonly bias: boolean };

const shaders = { f16: 'packed-linear-f16', int8: 'packed-linear-int8' } as const;

/** The inputs by name. */
function named<T>(inputs: readonly T[], { format, bias }: PackedLinearAttrs) {
  const [x, words, ...rest] = inputs;
  return { x, words, scales: format === 'int8' ? rest.shift() : undefined, b: bias ? rest.shift() : undefined };
}

/** Inputs x [..,I], words u32 [O, words of I], scales f32 [O] where the format is int8, and with `bias` b [O]; output y [..,O] = x·wᵀ + b. */
export const packedLinearOp = defineOp<PackedLinearAttrs>({
  name: 'packed_linear',
  shape(inputs, attrs) {
    const { words, scales, b } = named(inputs, attrs);
    const x = inputAt('packed_linear', inputs, 0, 'x');
    expectType('packed_linear', 'x', x, 'f32');
    const outs = expectPacked('packed_linear', attrs.format, words, scales, matrixOf(x.shape).cols);
    if (attrs.bias) expectType('packed_linear', 'b', b, 'f32', [outs], 'one a row of the packed weights');
    return [{ dtype: 'f32', shape: [...x.shape.slice(0, -1), outs] }];
  },
  variants({ inputs: [x, words] }) {
    const { rows, cols } = matrixOf(x!.shape);
    const few = rows <= 16 && words!.shape[0]! <= maxDots ? ['dots'] : [];
    // Rows of an odd width are read number by number, which pays in no kernel; there is one that compiles fast.
    return cols % 4 !== 0 || rows <= 4 ? [...few, 'rows-4'] : [...few, 'rows-16', 'rows-4'];
  },
  launch({ attrs, inputs, outputs }, { variant }) {
    const { x, words, scales, b } = named(inputs, attrs);
    const y = outputs[0]!;
    const { rows, cols } = matrixOf(x!.shape);
    const outs = words!.shape[0]!;
    const dots = variant === 'dots';
    const ROWS = dots ? 4 : Number(variant.slice('rows-'.length));
    return [
      {
        shader: shaders[attrs.format],
        entry: dots ? 'dots' : 'tiles',
        constants: {
          X_VECTORS: cols % 4 === 0 ? 1 : 0,
          ...(!dots && { ROWS }),
        },
        params: { rows, ins: cols, outs, vecs: cellsOf(cols), bias: attrs.bias ? 1 : 0 },
        bind: { x: x!, w: words!, ...(scales && { scales }), bias: b ?? x!, y },
        grid: [Math.ceil(outs / (dots ? 4 : 4 * 32)), Math.ceil(rows / ROWS), 1],
        flops: 2 * sizeOf(y.shape) * cols,
      },
    ];
  },
  reference({ attrs, inputs, outputs: [y] }) {
    const { x, words, scales, b } = named(inputs, attrs);
    const { rows, cols } = matrixOf(x!.shape);
    const [outs = 0, stride = 0] = words!.shape;
    for (let j = 0; j < outs; j++) {
      const w = Float64Array.from({ length: cols }, (_, k) =>
        unpacked(attrs.format, words!.data, stride, scales?.data, j, k),
      );
      for (let i = 0; i < rows; i++) {
        let sum = attrs.bias ? b!.data[j]! : 0;
        for (let k = 0; k < cols; k++) sum += x!.data[i * cols + k]! * w[k]!;
        y!.data[i * outs + j] = sum;
      }
    }
  },
});

/** Packed weights of a layer or a table: words, and scales where the format has them. */
export interface PackedValue {
  readonly format: PackedFormat;
  readonly words: Value;
  readonly scales?: Value;
}

/** x·wᵀ + b of packed weights: x [..,I] -> [..,O]. */
export function packedLinear(builder: Builder, x: Value, { format, words, scales }: PackedValue, b?: Value): Value {
  const inputs = [x, words, ...(scales ? [scales] : []), ...(b ? [b] : [])];
  return builder.apply(packedLinearOp, inputs, { format, bias: b !== undefined })[0]!;
}
