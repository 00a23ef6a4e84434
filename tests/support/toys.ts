// Small ops whose arithmetic anyone can check by head, for tests of graphs and plans: no shader belongs to them.

import { type Builder, defineOp, type Value } from '../../src/ops/op.ts';

const like = (inputs: readonly { shape: readonly number[] }[]) =>
  ({ dtype: 'f32', shape: inputs[0]?.shape ?? [] }) as const;

/** y = factor · x. */
export const scaleOp = defineOp<{ readonly factor: number }>({
  name: 'scale',
  shape: (inputs) => [like(inputs)],
  launch: ({ inputs, outputs }) => [
    { shader: 'toy', entry: 'scale', bind: { x: inputs[0]!, y: outputs[0]! }, grid: [1, 1, 1] },
  ],
  grad: (builder, { attrs }, [dy]) => [scale(builder, dy!, attrs.factor)],
  reference({ attrs, inputs, outputs }) {
    for (const [i, x] of inputs[0]!.data.entries()) outputs[0]!.data[i] = attrs.factor * x;
  },
});

/** y = a · b, element by element. */
export const timesOp = defineOp({
  name: 'times',
  shape: (inputs) => [like(inputs)],
  launch: ({ inputs, outputs }) => [
    { shader: 'toy', entry: 'times', bind: { a: inputs[0]!, b: inputs[1]!, y: outputs[0]! }, grid: [1, 1, 1] },
  ],
  grad: (builder, { inputs }, [dy]) => [times(builder, dy!, inputs[1]!), times(builder, dy!, inputs[0]!)],
  reference({ inputs, outputs }) {
    for (const [i, a] of inputs[0]!.data.entries()) outputs[0]!.data[i] = a * inputs[1]!.data[i]!;
  },
});

/** Two outputs: 2·x and 3·x. Its gradient sees which of them were used. */
export const forkOp = defineOp({
  name: 'fork',
  shape: (inputs) => [like(inputs), like(inputs)],
  launch: () => [],
  grad(builder, _node, [da, db]) {
    const parts = [...(da ? [scale(builder, da, 2)] : []), ...(db ? [scale(builder, db, 3)] : [])];
    return [parts.length === 2 ? plus(builder, parts[0]!, parts[1]!) : parts[0]];
  },
  reference({ inputs, outputs }) {
    for (const [i, x] of inputs[0]!.data.entries()) {
      outputs[0]!.data[i] = 2 * x;
      outputs[1]!.data[i] = 3 * x;
    }
  },
});

/** a + b without the in-place form that the real `add` has. */
export const plusOp = defineOp({
  name: 'plus',
  shape: (inputs) => [like(inputs)],
  launch: () => [],
  reference({ inputs, outputs }) {
    for (const [i, a] of inputs[0]!.data.entries()) outputs[0]!.data[i] = a + inputs[1]!.data[i]!;
  },
});

/** The root of a loss: the sum of w · x. Its gradient with respect to x is w. */
export const dotOp = defineOp({
  name: 'dot',
  shape: () => [{ dtype: 'f32', shape: [1] }],
  launch: () => [],
  grad: (_builder, { inputs }) => [inputs[1], undefined],
  reference({ inputs, outputs }) {
    for (const [i, x] of inputs[0]!.data.entries()) outputs[0]!.data[0]! += x * inputs[1]!.data[i]!;
  },
});

export const scale = (g: Builder, x: Value, factor: number): Value => g.apply(scaleOp, [x], { factor })[0]!;
export const times = (g: Builder, a: Value, b: Value): Value => g.apply(timesOp, [a, b], {})[0]!;
export const plus = (g: Builder, a: Value, b: Value): Value => g.apply(plusOp, [a, b], {})[0]!;
export const fork = (g: Builder, x: Value): Value[] => g.apply(forkOp, [x], {});
export const dot = (g: Builder, x: Value, w: Value): Value => g.apply(dotOp, [x, w], {})[0]!;
