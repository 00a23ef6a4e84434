// Cross-entropy on the CPU: its gradient compared with finite differences, values by hand, errors.

import { describe, expect, it } from 'vitest';
import { f32 } from '../../../../src/core/tensor.ts';
import { createCpuExecutor } from '../../../../src/engine/cpu/executor.ts';
import { gradients } from '../../../../src/engine/graph/gradient.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { gradientOf } from '../../../../src/engine/graph/op-gradients.ts';
import {
  crossEntropy,
  crossEntropyOp,
  tokenStats,
  tokenStatsOp,
} from '../../../../src/engine/ops/loss/cross-entropy.ts';
import type { Value } from '../../../../src/engine/ops/op.ts';
import { stepWords, writeStep } from '../../../../src/engine/ops/step-scalars.ts';
import { errorAbout, errorNaming } from '../../../support/expect-error.ts';
import { integers, randomTensor, relativeError } from '../../../support/op.ts';

const [N, V, ignore, tokenWeight] = [4, 6, 5, 0.25];
const logits = Float64Array.from(randomTensor([N, V], 1, 2).data);
const targets = Int32Array.of(2, ignore, 0, 4);
const step = new Uint32Array(stepWords);
writeStep(step, { learningRate: 0, tokenWeight, seed: 0, step: 0, keep: 0, position: 0 });

/** Sum of losses, and its gradient times the token weight, of one of the two forms. */
function run(fused: boolean, smoothing: number, z: Float64Array) {
  const graph = new Graph();
  const inputs = [
    graph.input('z', 'f32', [N, V]),
    graph.input('t', 'i32', [N]),
    graph.input('step', 'u32', [stepWords]),
  ] as [Value, Value, Value];
  const { nll, hit } = crossEntropy(graph, ...inputs, { smoothing, ignore, fused });
  graph.output('nll', nll);
  graph.output('dz', gradients(graph, nll, [inputs[0]])[0] as Value);
  graph.output('stats', tokenStats(graph, nll, hit, inputs[1], { ignore }));
  const out = createCpuExecutor(graph).run({ z, t: targets, step });
  return { nll: Array.from(out.nll ?? []), dz: Array.from(out.dz ?? []), stats: Array.from(out.stats ?? []) };
}

describe('cross_entropy', () => {
  for (const fused of [false, true])
    for (const smoothing of [0, 0.2])
      it(`${fused ? 'fused with its gradient' : 'by itself'}, smoothing ${smoothing}, has the gradient of its loss`, () => {
        const h = 1e-6;
        const sum = (z: Float64Array) => run(fused, smoothing, z).nll.reduce((a, b) => a + b, 0);
        const numeric = Array.from(logits, (x, k) => {
          const at = (y: number) => sum(logits.map((z, i) => (i === k ? y : z)));
          return (tokenWeight * (at(x + h) - at(x - h))) / (2 * h);
        });
        const { dz } = run(fused, smoothing, logits);
        // Central differences of numbers near 10 with h = 1e-6.
        expect(relativeError(dz, numeric)).toBeLessThan(1e-8);
        expect(dz.slice(V, 2 * V)).toEqual([0, 0, 0, 0, 0, 0]);
      });

  it('is the mean of -log p under the smoothed target', () => {
    const e = 0.2;
    for (let row = 0; row < N; row++) {
      const z = Array.from(logits.slice(row * V, (row + 1) * V));
      const total = z.reduce((a, x) => a + Math.exp(x), 0);
      const want = z.reduce((a, x, c) => {
        const aim = (c === targets[row] ? 1 - e : 0) + e / V;
        return a - aim * Math.log(Math.exp(x) / total);
      }, 0);
      expect(run(false, e, logits).nll[row]).toBeCloseTo(targets[row] === ignore ? 0 : want, 12);
    }
  });

  it('counts tokens and hits without the ignored', () => {
    const z = new Float64Array(N * V);
    z[2] = 1; // row 0 guesses 2, right; row 1 is ignored; rows 2 and 3 tie, so the first class, 0, counts
    const { stats, nll } = run(false, 0, z);
    expect(stats.slice(1)).toEqual([3, 2, 0]);
    expect(stats[0]).toBeCloseTo(
      nll.reduce((a, b) => a + b, 0),
      12,
    );
  });
});

describe('errors', () => {
  it('name both sides', () => {
    const step8 = integers('u32', [stepWords], []);
    const z = f32([3, 4], []);
    const shape =
      (t: ReturnType<typeof integers>, smoothing = 0) =>
      () =>
        crossEntropyOp.shape({ logits: z, targets: t, step: step8 }, { smoothing, fused: false });
    expect(shape(integers('i32', [4], []))).toThrow(
      errorAbout({ area: 'cross_entropy', values: ['[3,4]', '[4]'] }),
    );
    expect(shape(integers('u32', [3], []))).toThrow(
      errorAbout({ area: 'cross_entropy', values: ['targets', 'u32', '[3]', 'i32'] }),
    );
    expect(shape(integers('i32', [3], []), 1)).toThrow(errorAbout({ area: 'cross_entropy', values: [1] }));
    expect(() =>
      tokenStatsOp.shape({ nll: f32([3], []), hit: f32([4], []), targets: integers('i32', [3], []) }, {}),
    ).toThrow(errorAbout({ area: 'token_stats', values: ['hit', 'f32', '[4]'] }));
  });

  it('say that the loss is the root of a gradient walk', () => {
    const graph = new Graph();
    const inputs = {
      logits: graph.input('z', 'f32', [1, 2]),
      targets: graph.input('t', 'i32', [1]),
      step: graph.input('step', 'u32', [8]),
    };
    const attrs = { smoothing: 0, fused: false };
    const outputs = graph.apply(crossEntropyOp, inputs, attrs);
    expect(() => gradientOf(crossEntropyOp)?.(graph, inputs, outputs, { nll: outputs.nll }, attrs)).toThrow(
      errorNaming('cross_entropy'),
    );
  });
});
