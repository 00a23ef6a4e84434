// Elementwise sum of two tensors of one shape: residual connections, and gradients that meet.

import { check } from '../../core/errors.ts';
import { sameShape, show, sizeOf } from '../../core/tensor.ts';
import { elementwise, elementwiseVariants } from '../elementwise-launch.ts';
import { expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, type Value } from '../op.ts';

/** y = a + b; y may take the memory of either. */
export const addOp = defineOp({
  name: 'add',
  shape(inputs) {
    const a = inputAt('add', inputs, 0, 'a');
    const b = inputAt('add', inputs, 1, 'b');
    expectType('add', 'a', a, 'f32');
    expectType('add', 'b', b, 'f32');
    check(sameShape(a.shape, b.shape), () => `add: shapes differ, a ${show(a.shape)} + b ${show(b.shape)}`);
    return [{ dtype: 'f32', shape: a.shape }];
  },
  inPlace: () => [
    [0, 0],
    [1, 0],
  ],
  half: () => ({ inputs: [0, 1], outputs: [0] }),
  variants: elementwiseVariants,
  launch(node, { shared, variant }) {
    const [a, b] = node.inputs as [Value, Value];
    const [y] = node.outputs as [Value];
    const count = sizeOf(y.shape);
    const common = { shader: 'add', params: { count }, flops: count, ...elementwise(variant, count) } as const;
    if (shared(0, 0)) return [{ ...common, entry: 'add_in_place', bind: { y, b } }];
    if (shared(1, 0)) return [{ ...common, entry: 'add_in_place', bind: { y, b: a } }];
    return [{ ...common, entry: 'add', bind: { a, b, y } }];
  },
  grad: (_builder, _node, [dy]) => [dy, dy],
  reference({ inputs: [a, b], outputs: [y] }) {
    for (let i = 0; i < y!.data.length; i++) y!.data[i] = a!.data[i]! + b!.data[i]!;
  },
});

/** a + b, both of one shape. */
export function add(builder: Builder, a: Value, b: Value): Value {
  return builder.apply(addOp, [a, b], {})[0]!;
}
