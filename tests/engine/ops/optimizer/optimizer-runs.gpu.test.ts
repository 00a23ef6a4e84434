// Twenty replayed steps of clipping and each optimizer on the GPU, compared with PyTorch's in float64
// (Keras's formula for RMSprop); tests/fixtures/optimizers.py made the numbers.

import { describe, expect, it } from 'vitest';
import { wrapDevice } from '../../../../src/engine/gpu/device.ts';
import { GpuEngine } from '../../../../src/engine/gpu/gpu-engine.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import type { Value } from '../../../../src/engine/ops/op.ts';
import { clipScale, counterAt, counterLength } from '../../../../src/engine/ops/optimizer/clip.ts';
import {
  adam,
  adamw,
  rmsprop,
  sgd,
  type UpdateInputs,
} from '../../../../src/engine/ops/optimizer/optimizers.ts';
import { stepWords, writeStep } from '../../../../src/engine/ops/step-scalars.ts';
import { makePlan } from '../../../../src/engine/plan/planner.ts';
import golden from '../../../fixtures/optimizers.json';
import { gpuDevice } from '../../../support/gpu.ts';
import { relativeError } from '../../../support/op.ts';

const betas = { beta1: 0.9, beta2: 0.98 };
const decay = { weightDecay: 0.1, decayEnd: golden.decayEnd };

type Moments = Record<'m' | 'v' | 'counters', Value>;
const updates: Record<keyof typeof golden.weights, (g: Graph, i: UpdateInputs & Moments) => void> = {
  adamw: (g, i) => adamw(g, i, { ...betas, eps: 1e-9, ...decay }),
  adam: (g, i) => adam(g, i, { ...betas, eps: 1e-9, ...decay }),
  sgd: (g, i) => sgd(g, i, { momentum: 0.9, ...decay }),
  rmsprop: (g, i) => rmsprop(g, i, { rho: 0.9, eps: 1e-7 }),
};

/**
 * Runs the golden steps; before step `spoilBefore` comes one more whose gradients are not finite. Returns the
 * counters.
 */
async function weightsAfter(
  name: keyof typeof updates,
  visit: (step: number, weights: ArrayLike<number>) => void,
  spoilBefore?: number,
): Promise<ArrayLike<number>> {
  const n = golden.start.length;
  const graph = new Graph();
  const state = (s: string, length = n) => graph.state(s, 'f32', [length]);
  const [weights, counters] = [state('weights'), state('counters', counterLength)];
  const gradients = graph.input('gradients', 'f32', [n]);
  const step = graph.input('step', 'u32', [stepWords]);
  const clip = clipScale(graph, gradients, counters, { maxNorm: golden.maxNorm, ...betas });
  updates[name](graph, { weights, gradients, clip, step, m: state('m'), v: state('v'), counters });
  const engine = new GpuEngine(wrapDevice(await gpuDevice()));
  try {
    const [runner] = await engine.preparePlans([makePlan(graph)]);
    if (!runner) throw new Error('no runner');
    engine.write('weights', Float32Array.from(golden.start));
    writeStep(runner.inputs.step as Uint32Array, {
      learningRate: golden.learningRate,
      tokenWeight: 1,
      seed: 0,
      step: 0,
      keep: 0,
      position: 0,
    });
    for (const [i, g] of golden.gradients.entries()) {
      if (i + 1 === spoilBefore) {
        runner.inputs.gradients?.set(g.map((x, k) => (k === 7 ? Number.NaN : x)));
        await runner.run();
      }
      runner.inputs.gradients?.set(g);
      await runner.run();
      visit(i + 1, (await engine.read('weights')).data);
    }
    return (await engine.read('counters')).data;
  } finally {
    engine.destroy();
  }
}

describe('twenty steps', () => {
  for (const name of Object.keys(updates) as (keyof typeof updates)[]) {
    const want: Record<string, number[]> = golden.weights[name];
    // Adam's first steps divide small numbers by one another: some float32 roundings of each step add up.
    const tolerance = 3e-6;

    it(`of ${name} are those of the golden file`, async () => {
      const checked: number[] = [];
      const counters = await weightsAfter(name, (step, weights) => {
        if (!want[step]) return;
        checked.push(step);
        expect(relativeError(weights, want[step])).toBeLessThan(tolerance);
      });
      expect(checked).toEqual([1, 2, 3, 20]);
      expect(counters[counterAt.applied]).toBe(20);
    });

    it(`of ${name} are the same with a step between that is not finite`, async () => {
      let last: ArrayLike<number> = [];
      const counters = await weightsAfter(name, (_, weights) => (last = weights), 5);
      expect(relativeError(last, want[20] ?? [])).toBeLessThan(tolerance);
      expect([counters[counterAt.applied], counters[counterAt.skipped]]).toEqual([20, 1]);
    });
  }
});
