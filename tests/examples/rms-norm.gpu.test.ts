// The example of docs/add-an-op.md.

import { expect, it } from 'vitest';
import { checkRmsNorm, rmsNormOp, runRmsNorm } from '../../docs/examples/rms-norm.ts';
import { f32 } from '../../src/core/tensor.ts';
import { checkGradient, checkOp, randomTensor } from '../../src/engine/check-op.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { Graph } from '../../src/engine/graph/graph.ts';
import { errorAbout, errorNaming } from '../support/expect-error.ts';
import { gpuDevice } from '../support/gpu.ts';

const attrs = { eps: 1e-6 };

it('agrees with its reference on the GPU, forward and backward', async () => {
  const errors = await checkRmsNorm(wrapDevice(await gpuDevice()));
  expect(Object.keys(errors).map((name) => name.replace(/ \(only.*/, ''))).toEqual(['y', 'd(x)', 'd(gamma)']);
  expect(Math.max(...Object.values(errors))).toBeLessThan(1e-5);
});

it('runs in a graph', async () => {
  const y = await runRmsNorm(wrapDevice(await gpuDevice()));
  for (const [i, want] of [1, -1, 1, -1, 2, 0, 0, 0].entries()) expect(y[i]).toBeCloseTo(want, 4);
});

it('throws an error that names both sides if gamma does not fit', () => {
  const graph = new Graph();
  const [x, gamma] = [graph.input('x', 'f32', [2, 4]), graph.input('gamma', 'f32', [3])];
  expect(() => graph.apply(rmsNormOp, { x, gamma }, attrs)).toThrow(
    errorAbout({ area: 'rms_norm', values: ['gamma', 'f32', '[3]'] }),
  );
});

it('fails the checks if its kernel or its gradient is wrong', async () => {
  const inputs = { x: randomTensor([3, 4], 1), gamma: randomTensor([4], 2) };
  const doubled = {
    ...rmsNormOp,
    reference: (...[{ x }, { y }]: Parameters<NonNullable<typeof rmsNormOp.reference>>) => y.set(0, x.at(0)),
  };
  const device = wrapDevice(await gpuDevice());
  await expect(checkOp(device, doubled, { inputs, attrs })).rejects.toThrow(errorNaming('rms_norm', '\ny '));
  const backward = {
    ...rmsNormOp,
    grad: (...[, inputs]: Parameters<NonNullable<typeof rmsNormOp.grad>>) => inputs,
  };
  expect(() =>
    checkGradient(backward, { inputs: { ...inputs, gamma: f32([4], [1, 2, 3, 4]) }, attrs, wrt: ['x'] }),
  ).toThrow(errorNaming('rms_norm', 'input x'));
});
