// The reference of softmax: values, masks, gradient.
import { expect, it } from 'vitest';
import type { TensorData } from '../../../../src/core/tensor.ts';
import { createCpuExecutor } from '../../../../src/engine/cpu/executor.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { softmax, softmaxOp } from '../../../../src/engine/ops/norm/softmax.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkGradient, integers, randomTensor } from '../../../support/op.ts';

function run(shape: number[], x: number[], causal: boolean, lens?: number[]): number[] {
  const g = new Graph();
  const lengths = lens && g.input('lens', 'u32', [lens.length]);
  g.output('y', softmax(g, g.input('x', 'f32', shape), { causal }, lengths));
  const data: Record<string, TensorData> = { x: Float32Array.from(x) };
  if (lens) data.lens = Uint32Array.from(lens);
  return [...createCpuExecutor(g).run(data).y!];
}

it('gives the values computed by hand', () => {
  const y = run([1, 3], [0, Math.log(2), Math.log(5)], false);
  // The inputs are float32, so the logarithms are off by 1e-7.
  [1 / 8, 2 / 8, 5 / 8].forEach((want, i) => {
    expect(y[i]).toBeCloseTo(want, 6);
  });
});

it('reads only earlier columns if causal, and none past the length', () => {
  expect(run([1, 3, 3], [1, 1, 1, 1, 1, 1, 1, 1, 1], true)).toEqual([
    1,
    0,
    0,
    0.5,
    0.5,
    0,
    1 / 3,
    1 / 3,
    1 / 3,
  ]);
  expect(run([2, 1, 4], [3, 3, 3, 3, 3, 3, 3, 3], false, [2, 0])).toEqual([0.5, 0.5, 0, 0, 0, 0, 0, 0]);
});

it('has the gradient of finite differences, with and without a mask', () => {
  checkGradient(softmaxOp, { inputs: { x: randomTensor([4, 7], 1) }, attrs: {}, wrt: ['x'] });
  checkGradient(softmaxOp, {
    inputs: { x: randomTensor([3, 2, 4, 5], 2), lens: integers('u32', [3], [5, 2, 0]) },
    attrs: { causal: true },
    wrt: ['x'],
  });
});

it('rejects lengths and masks that do not fit and names both sides', () => {
  const g = new Graph();
  const x = g.input('x', 'f32', [3, 5]);
  expect(() => softmax(g, x, {}, g.input('lens', 'u32', [4]))).toThrow(
    errorAbout({ area: 'softmax', values: ['lens', 'u32', '[4]'] }),
  );
  expect(() => softmax(g, g.input('v', 'f32', [5]), { causal: true })).toThrow(
    errorAbout({ area: 'softmax', values: ['[5]'] }),
  );
});
