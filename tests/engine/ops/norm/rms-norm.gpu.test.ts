// RMSNorm, by itself and with the residual connection, forward and backward on the GPU.

import { describe, expect, it } from 'vitest';
import { f32, type Shape } from '../../../../src/core/tensor.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { fuseForward } from '../../../../src/engine/graph/rewrites.ts';
import { add, dropout } from '../../../../src/engine/ops/elementwise/elementwise-ops.ts';
import { addRmsNormOp, rmsNorm, rmsNormOp } from '../../../../src/engine/ops/norm/layer-norm.ts';
import { rmsNormBackwardOp } from '../../../../src/engine/ops/norm/layer-norm-backward.ts';
import { stepWords } from '../../../../src/engine/ops/step-scalars.ts';
import { fewerInChrome, sample } from '../../../support/gpu.ts';
import { checkInPlace } from '../../../support/in-place.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

// Around the rows of a workgroup and the threads of a row group; widths read four at a time and others.
const allShapes: Shape[] = [
  [1, 3],
  [3, 5],
  [15, 31],
  [4, 4, 32],
  [33, 124],
  [131, 36],
  [2, 33, 127],
  [5, 513],
  [2, 1028],
];
/** The kernels are those of layer norm, whose tests take more shapes. */
const sampled = sample(allShapes, ([rows]) => [3, 33, 5].includes(rows!));
const shapes = fewerInChrome(sampled, ([rows]) => rows === 33);

// As in the tests of layer norm, without the error of the mean.
const tolerance = 4e-6;
const gradTolerance = 1e-5;

const gammaOf = (cols: number) =>
  f32(
    [cols],
    randomTensor([cols], 8, 0.3).data.map((v) => v + 1),
  );

describe('rms_norm', () => {
  for (const shape of shapes)
    it(`normalizes ${shape.join('x')}`, async () => {
      // 1e6 exceeds float16, as T5's residual stream does.
      for (const scale of [1e-2, 1, 1e6])
        await checkOp(rmsNormOp, {
          inputs: { x: randomTensor(shape, 1, scale), gamma: gammaOf(shape.at(-1)!) },
          attrs: { eps: 1e-6 },
          wrt: ['x', 'gamma'],
          tolerance,
          gradTolerance,
        });
    });
});

describe('add_rms_norm', () => {
  for (const rate of [0, 0.2])
    for (const shape of shapes)
      it(`adds and normalizes ${shape.join('x')}, dropout ${rate}`, async () => {
        const inputs = {
          x: randomTensor(shape, 1),
          residual: randomTensor(shape, 2),
          gamma: gammaOf(shape.at(-1)!),
          step: rate > 0 ? ('step' as const) : undefined,
        };
        for (const through of [['y'], ['y', 's']] as const)
          await checkOp(addRmsNormOp, {
            inputs,
            attrs: { eps: 1e-6, rate, site: 3 },
            wrt: ['x', 'residual', 'gamma'],
            through,
            tolerance,
            gradTolerance,
          });
      });

  it.each([0, 0.2])('is the result of the rewrite of an addition and a norm, dropout %s', (rate) => {
    const graph = new Graph();
    const [x, residual] = [graph.input('x', 'f32', [2, 8]), graph.input('residual', 'f32', [2, 8])];
    const step = graph.input('step', 'u32', [stepWords]);
    const branch = rate ? dropout(graph, x, step, { rate, site: 1 }) : x;
    graph.output('y', rmsNorm(graph, add(graph, residual, branch), graph.input('gamma', 'f32', [8]), 1e-6));
    fuseForward(graph);
    expect(graph.nodes.map(({ op, attrs }) => [op.name, attrs.rate])).toEqual([['add_rms_norm', rate]]);
  });
});

describe('in place', () => {
  for (const shape of sample<Shape>(
    [
      [3, 5],
      [131, 129],
    ],
    ([rows]) => rows === 3,
  ))
    for (const rate of sample([0, 0.2], (rate) => rate > 0)) {
      const step = rate ? { step: 'step' as const } : {};
      const gamma = gammaOf(shape.at(-1)!);
      const [a, b, c] = [randomTensor(shape, 1), randomTensor(shape, 2), randomTensor(shape, 3)];

      it(`the sum of ${shape.join('x')} takes the memory of either addend, dropout ${rate}`, async () => {
        const inputs = { x: a, residual: b, gamma, ...step };
        await checkInPlace(addRmsNormOp, { inputs, attrs: { eps: 1e-6, rate, site: 3 }, tolerance });
      });

      it(`the gradients of ${shape.join('x')} take the memory of dy and ds, dropout ${rate}`, async () => {
        const stats = f32([shape[0]!], new Float32Array(shape[0]!).fill(1.1));
        const inputs = { dy: a, s: b, stats, gamma, ...step };
        const attrs = { rate, site: 3 };
        await checkInPlace(rmsNormBackwardOp, {
          inputs: { ...inputs, ds: c },
          attrs,
          tolerance: gradTolerance,
        });
        await checkInPlace(rmsNormBackwardOp, { inputs, attrs, tolerance: gradTolerance });
      });
    }
});
