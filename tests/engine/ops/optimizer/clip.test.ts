// Clipping, ranges of buffers, and the launches of the optimizers: plain data on the CPU.

import { describe, expect, it } from 'vitest';
import { f32 } from '../../../../src/core/tensor.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { clipScale, clipScaleOp, counterLength } from '../../../../src/engine/ops/optimizer/clip.ts';
import { adamw } from '../../../../src/engine/ops/optimizer/optimizers.ts';
import { stepWords } from '../../../../src/engine/ops/step-scalars.ts';
import { rangeOf, rangesOf } from '../../../../src/engine/ops/work-division.ts';
import { makePlan } from '../../../../src/engine/plan/planner.ts';
import { errorAbout } from '../../../support/expect-error.ts';

const MiB = 2 ** 20;

describe('ranges of buffers', () => {
  const parameterBuffer = new Graph().state('parameterBuffer', 'f32', [1000]);

  it('are whole multiples of 64 that cover a buffer once', () => {
    expect(rangesOf('x', [parameterBuffer], 128 * MiB)).toEqual([[0, 1000]]);
    expect(rangesOf('x', [parameterBuffer], 4 * 400)).toEqual([
      [0, 384],
      [384, 384],
      [768, 232],
    ]);
  });

  it('are the buffer itself if one range covers it', () => {
    expect(rangeOf(parameterBuffer, 0, 1000)).toBe(parameterBuffer);
    expect(rangeOf(parameterBuffer, 384, 232)).toMatchObject({
      shape: [232],
      at: { buffer: parameterBuffer, offset: 384 },
    });
  });
});

describe('clipping and AdamW', () => {
  it('take four dispatches for 52 million parameters', () => {
    const graph = new Graph();
    const P = 52_000_000;
    const parameterBuffer = (name: string) => graph.state(name, 'f32', [P]);
    const counters = graph.state('counters', 'f32', [counterLength]);
    const [weights, gradients, m, v] = [
      parameterBuffer('weights'),
      parameterBuffer('gradients'),
      parameterBuffer('m'),
      parameterBuffer('v'),
    ];
    const betas = { beta1: 0.9, beta2: 0.98 };
    const clip = clipScale(graph, gradients, counters, { maxNorm: 1, ...betas });
    const step = graph.input('step', 'u32', [stepWords]);
    const decay = { weightDecay: 0.01, decayEnd: 40_000_000 };
    adamw(graph, { weights, gradients, m, v, clip, counters, step }, { ...betas, eps: 1e-9, ...decay });
    const { passes } = makePlan(graph);
    expect(passes.map((p) => p.entry)).toEqual(['gradient_norm', 'clip_scale', 'adamw', 'adamw']);
    const [, , first, second] = passes;
    expect([first?.params.count, second?.params.count]).toEqual([32 * MiB, P - 32 * MiB]);
    expect([first?.params.decay_end, second?.params.decay_end]).toEqual([32 * MiB, 40_000_000 - 32 * MiB]);
    for (const p of passes)
      for (const r of Object.values(p.bind)) expect(r.bytes).toBeLessThanOrEqual(128 * MiB);
  });

  it('take the norm of more gradients than four bindings hold in several dispatches', () => {
    const graph = new Graph();
    const P = 250_000_000;
    const gradients = graph.state('gradients', 'f32', [P]);
    const counters = graph.state('counters', 'f32', [counterLength]);
    graph.output('clip', clipScale(graph, gradients, counters, { maxNorm: 1, beta1: 0.9, beta2: 0.98 }));
    const { passes } = makePlan(graph);
    expect(passes.map((p) => p.entry)).toEqual(['gradient_norm', 'gradient_norm', 'clip_scale']);
    const [first, second, clip] = passes;
    expect((first?.params.count ?? 0) + (second?.params.count ?? 0)).toBe(P);
    expect((first?.grid[0] ?? 0) + (second?.grid[0] ?? 0)).toBe(clip?.params.count);
    expect(second?.bind.g0?.offset).toBe(4 * (first?.params.count ?? 0));
    expect(second?.bind.partials_out?.offset).toBe(8 * (first?.grid[0] ?? 0));
    expect((second?.bind.partials_out?.offset ?? 1) % 256).toBe(0);
    for (const p of passes)
      for (const r of Object.values(p.bind)) expect(r.bytes).toBeLessThanOrEqual(128 * MiB);
  });

  it('reject invalid settings', () => {
    const inputs = { partials: f32([2, 2], []), counters: f32([counterLength], []) };
    const attrs = { maxNorm: 1, beta1: 0.9, beta2: 0.98 };
    expect(() => clipScaleOp.shape(inputs, { ...attrs, maxNorm: -1 })).toThrow(
      errorAbout({ area: 'clip_scale', values: [-1] }),
    );
    expect(() => clipScaleOp.shape(inputs, { ...attrs, beta2: 1 })).toThrow(
      errorAbout({ area: 'clip_scale', values: [1] }),
    );
    expect(() => clipScaleOp.shape({ partials: inputs.partials, counters: f32([4], []) }, attrs)).toThrow(
      errorAbout({ area: 'clip_scale', values: ['counters', 'f32', '[4]'] }),
    );
  });
});
