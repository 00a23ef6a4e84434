// The references of attention, with which the kernels are compared: values by hand, finite differences, and
// the mean under dropout.

import { describe, expect, it } from 'vitest';
import { createCpuExecutor } from '../../../../src/engine/cpu/executor.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { gradientOf } from '../../../../src/engine/graph/op-gradients.ts';
import {
  crossAttention,
  crossAttentionOp,
  selfAttention,
  selfAttentionOp,
} from '../../../../src/engine/ops/attention/attention.ts';
import type { AttentionAttrs } from '../../../../src/engine/ops/attention/attention-layout.ts';
import { stepWords, writeStep } from '../../../../src/engine/ops/step-scalars.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkGradient, integers, randomTensor } from '../../../support/op.ts';

const lens = (...n: number[]) => integers('u32', [n.length], n);

/** out and lse of self-attention over qkv [B,T,3HW]. */
function attend(shape: number[], qkv: ArrayLike<number>, lengths: number[], attrs: AttentionAttrs, seed = 1) {
  const g = new Graph();
  const inputs = {
    qkv: g.input('qkv', 'f32', shape),
    lens: g.input('lens', 'u32', [lengths.length]),
    step: g.input('step', 'u32', [stepWords]),
  };
  const { out, lse } = g.apply(selfAttentionOp, inputs, attrs);
  g.output('out', out);
  g.output('lse', lse);
  const step = new Uint32Array(stepWords);
  writeStep(step, { learningRate: 0, tokenWeight: 1, seed, step: 0, keep: 0, position: 0 });
  const result = createCpuExecutor(g).run({
    qkv: Float32Array.from(qkv),
    lens: Uint32Array.from(lengths),
    step,
  });
  return { out: [...result.out!], lse: [...result.lse!] };
}

describe('the reference', () => {
  // One head of width 1: q = 1, k = 0 and log 3, v = 4 and 8; so p = 1/4 and 3/4.
  const qkv = [1, 0, 4, 1, Math.log(3), 8];
  const attrs = { heads: 1, headWidth: 1, causal: false };

  it('weighs values by the softmax of scores', () => {
    const { out, lse } = attend([1, 2, 3], qkv, [2], attrs);
    expect(out[0]).toBeCloseTo(0.25 * 4 + 0.75 * 8, 6);
    expect(lse[0]).toBeCloseTo(Math.log(4), 6);
  });

  it('hides later keys if causal, and keys past the length', () => {
    expect(attend([1, 2, 3], qkv, [2], { ...attrs, causal: true }).out[0]).toBe(4);
    expect(attend([1, 2, 3], qkv, [1], attrs).out).toEqual([4, 4]);
  });

  it('gives zeros for a fully masked row', () => {
    expect(attend([1, 2, 3], qkv, [0], attrs)).toEqual({ out: [0, 0], lse: [0, 0] });
  });

  it('keeps the mean under dropout, and the logsumexp as it is', () => {
    const x = randomTensor([2, 6, 12], 3);
    const plain = { heads: 2, headWidth: 2, causal: false };
    const want = attend([2, 6, 12], x.data, [6, 4], plain);
    const sum = want.out.map(() => 0);
    const runs = 4000;
    for (let seed = 0; seed < runs; seed++) {
      const got = attend([2, 6, 12], x.data, [6, 4], { ...plain, dropout: 0.2, site: 5 }, seed);
      expect(got.lse).toEqual(want.lse);
      got.out.forEach((v, i) => {
        sum[i]! += v / runs;
      });
    }
    // An element's deviation is at most |v| sqrt(0.2 / 0.8), about 1: 1/sqrt(4000) = 0.016 for the mean, and
    // four times that.
    sum.forEach((mean, i) => {
      expect(Math.abs(mean - want.out[i]!)).toBeLessThan(0.064);
    });
  });

  it('drops differently at each site and seed', () => {
    const x = randomTensor([1, 8, 12], 3).data;
    const run = (site: number, seed: number) =>
      attend(
        [1, 8, 12],
        x,
        [8],
        { heads: 2, headWidth: 2, causal: false, dropout: 0.5, site },
        seed,
      ).out.join();
    expect(new Set([run(1, 1), run(2, 1), run(1, 2), run(1, 1)]).size).toBe(3);
  });
});

describe('the gradient', () => {
  it('of self-attention is that of finite differences, causal, with lengths and dropout', () => {
    for (const causal of [false, true])
      for (const dropout of [0, 0.3])
        checkGradient(selfAttentionOp, {
          inputs: { qkv: randomTensor([3, 5, 18], 1), lens: lens(5, 3, 0), step: 'step' },
          attrs: { heads: 2, headWidth: 3, causal, dropout, site: 4 },
          wrt: ['qkv'],
        });
  });

  it('of cross-attention is that of finite differences in queries, keys and values', () => {
    checkGradient(crossAttentionOp, {
      inputs: {
        q: randomTensor([2, 3, 8], 1),
        kv: randomTensor([2, 5, 16], 2),
        lens: lens(5, 2),
        step: 'step',
      },
      attrs: { heads: 2, headWidth: 4, causal: false, dropout: 0.2, site: 1, scale: 0.7 },
      wrt: ['q', 'kv'],
    });
  });
});

describe('errors', () => {
  const g = new Graph();
  const qkv = g.input('qkv', 'f32', [2, 5, 18]);
  const two = g.input('two', 'u32', [2]);
  const step = g.input('step', 'u32', [stepWords]);
  const attrs = { heads: 2, headWidth: 3, causal: false };

  it('name both sides of a mismatch', () => {
    expect(() => selfAttention(g, qkv, two, step, { ...attrs, headWidth: 4 })).toThrow(
      errorAbout({ area: 'self_attention', values: [24, 2, 4, '[2,5,18]'] }),
    );
    expect(() => selfAttention(g, qkv, g.input('three', 'u32', [3]), step, attrs)).toThrow(
      errorAbout({ area: 'self_attention', values: [2, 'u32', '[3]'] }),
    );
    const q = g.input('q', 'f32', [3, 4, 6]);
    const kv = g.input('kv', 'f32', [2, 7, 12]);
    expect(() => crossAttention(g, q, kv, two, step, attrs)).toThrow(
      errorAbout({ area: 'cross_attention', values: ['[3,4,6]', '[2,7,12]'] }),
    );
  });

  it('name widths above 896, rates of at least 1, and more rows than a dispatch takes', () => {
    expect(() => selfAttention(g, qkv, two, step, { ...attrs, headWidth: 897 })).toThrow(
      errorAbout({ area: 'self_attention', values: [896, 897] }),
    );
    expect(() => selfAttention(g, qkv, two, step, { ...attrs, dropout: 1 })).toThrow(
      errorAbout({ area: 'self_attention', values: [1] }),
    );
    const many = g.input('many', 'f32', [65536, 1, 18]);
    const lengths = g.input('lengths', 'u32', [65536]);
    expect(() => selfAttention(g, many, lengths, step, attrs)).toThrow(
      errorAbout({ area: 'self_attention', values: [65536] }),
    );
  });

  it('name the logsumexp if a loss depends on it', () => {
    const inputs = { qkv, lens: two, step };
    const outputs = g.apply(selfAttentionOp, inputs, attrs);
    expect(() => gradientOf(selfAttentionOp)?.(g, inputs, outputs, { lse: step }, attrs)).toThrow(
      errorAbout({ area: 'self_attention' }),
    );
  });
});
