// Some columns of a tensor as a tensor of their own: the queries of packed queries, keys and values while decoding.

import { check } from '../errors.ts';
import { matrixOf, show, sizeOf } from '../tensor.ts';
import { expectType, inputAt } from './expect.ts';
import { type Builder, defineOp, gridOf, type Value } from './op.ts';

/** Columns `column` .. `column + width - 1`. */
export type SliceAttrs = { readonly column: number; readonly width: number };

/** Input x [..,X]; output y [..,width]. */
export const sliceOp = defineOp<SliceAttrs>({
  name: 'slice',
  shape(inputs, { column, width }) {
    const x = inputAt('slice', inputs, 0, 'x');
    expectType('slice', 'x', x, 'f32');
    const { cols } = matrixOf(x.shape);
    check(
      column >= 0 && width >= 1 && column + width <= cols,
      () => `slice: columns ${column} to ${column + width} of x ${show(x.shape)}, which has ${cols}`,
    );
    return [{ dtype: 'f32', shape: [...x.shape.slice(0, -1), width] }];
  },
  launch({ inputs: [x], outputs: [y], attrs }) {
    const params = {
      stride: matrixOf(x!.shape).cols,
      column: attrs.column,
      width: attrs.width,
      count: sizeOf(y!.shape),
    };
    return [{ shader: 'slice', entry: 'slice', params, bind: { x: x!, y: y! }, grid: gridOf(params.count, 256) }];
  },
  reference({ attrs: { column, width }, inputs: [x], outputs: [y] }) {
    const { cols } = matrixOf(x!.shape);
    for (let i = 0; i < y!.data.length; i++) y!.data[i] = x!.data[Math.floor(i / width) * cols + column + (i % width)]!;
  },
});

/** Columns `column` to `column + width` of x. Not differentiable: for decoding. */
export function slice(builder: Builder, x: Value, column: number, width: number): Value {
  return builder.apply(sliceOp, [x], { column, width })[0]!;
}
