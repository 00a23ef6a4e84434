// Small ops with simple arithmetic and without shaders, for tests of graphs and plans.

import { type TensorType, tensorType } from '../../src/core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../../src/engine/ops/op.ts';

const like = ({ shape }: TensorType) => tensorType('f32', shape);

/** y = factor · x. */
export const scaleOp = defineOp({
  name: 'scale',
  inputs: ['x'],
  outputs: ['y'],
  attrs: attrsOf<{ readonly factor: number }>(),
  shape: ({ x }) => ({ y: like(x) }),
  launch: ({ x }, { y }) => [{ shader: 'toy', entry: 'scale', bind: { x, y }, grid: [1, 1, 1] }],
  grad: (builder, _inputs, _outputs, { y: dy }, { factor }) => ({ x: dy && scale(builder, dy, factor) }),
  reference({ x }, { y }, { factor }) {
    for (let i = 0; i < y.size; i++) y.set(i, factor * x.at(i));
  },
});

/** y = a · b, element by element. */
export const timesOp = defineOp({
  name: 'times',
  inputs: ['a', 'b'],
  outputs: ['y'],
  shape: ({ a }) => ({ y: like(a) }),
  launch: ({ a, b }, { y }) => [{ shader: 'toy', entry: 'times', bind: { a, b, y }, grid: [1, 1, 1] }],
  grad: (builder, { a, b }, _outputs, { y: dy }) => ({
    a: dy && times(builder, dy, b),
    b: dy && times(builder, dy, a),
  }),
  reference({ a, b }, { y }) {
    for (let i = 0; i < y.size; i++) y.set(i, a.at(i) * b.at(i));
  },
});

/** Two outputs: 2·x and 3·x. Its gradient depends on which of them are used. */
export const forkOp = defineOp({
  name: 'fork',
  inputs: ['x'],
  outputs: ['double', 'triple'],
  shape: ({ x }) => ({ double: like(x), triple: like(x) }),
  launch: () => [],
  grad(builder, _inputs, _outputs, { double, triple }) {
    const [a, b] = [double && scale(builder, double, 2), triple && scale(builder, triple, 3)];
    return { x: a && b ? plus(builder, a, b) : (a ?? b) };
  },
  reference({ x }, { double, triple }) {
    for (let i = 0; i < x.size; i++) {
      double.set(i, 2 * x.at(i));
      triple.set(i, 3 * x.at(i));
    }
  },
});

/** a + b without the in-place form that the real `add` has. */
export const plusOp = defineOp({
  name: 'plus',
  inputs: ['a', 'b'],
  outputs: ['y'],
  shape: ({ a }) => ({ y: like(a) }),
  launch: () => [],
  reference({ a, b }, { y }) {
    for (let i = 0; i < y.size; i++) y.set(i, a.at(i) + b.at(i));
  },
});

/** The root of a loss: the sum of w · x. Its gradient with respect to x is w. */
export const dotOp = defineOp({
  name: 'dot',
  inputs: ['x', 'w'],
  outputs: ['loss'],
  shape: () => ({ loss: tensorType('f32', [1]) }),
  launch: () => [],
  grad: (_builder, { w }) => ({ x: w }),
  reference({ x, w }, { loss }) {
    for (let i = 0; i < x.size; i++) loss.add(0, x.at(i) * w.at(i));
  },
});

export const scale = (g: Builder, x: Value, factor: number): Value => g.apply(scaleOp, { x }, { factor }).y;
export const times = (g: Builder, a: Value, b: Value): Value => g.apply(timesOp, { a, b }).y;
export const plus = (g: Builder, a: Value, b: Value): Value => g.apply(plusOp, { a, b }).y;
export const fork = (g: Builder, x: Value) => g.apply(forkOp, { x });
export const dot = (g: Builder, x: Value, w: Value): Value => g.apply(dotOp, { x, w }).loss;
