// The probabilities of attention on the GPU.

import { expect, it } from 'vitest';
import { attentionWeightsOp } from '../../src/ops/attention-weights.ts';
import { checkOp, integers, randomTensor } from '../support/op.ts';
import { runOp } from '../support/run-op.ts';

for (const { lens, Tq, Tk, heads, W, scale = 1 } of [
  { lens: [1], Tq: 1, Tk: 1, heads: 1, W: 1 },
  { lens: [5, 0, 9], Tq: 7, Tk: 9, heads: 3, W: 5 },
  { lens: [129, 64], Tq: 33, Tk: 131, heads: 2, W: 16, scale: 30 },
])
  it(`shows how ${Tq} queries see ${lens} of ${Tk} keys, ${heads} heads of ${W}, scale ${scale}`, async () => {
    const [B, inner] = [lens.length, heads * W];
    await checkOp(attentionWeightsOp, {
      inputs: [randomTensor([B, Tq, inner], 1, scale), randomTensor([B, Tk, 2 * inner], 2), integers('u32', [B], lens)],
      attrs: { heads, headWidth: W, causal: false },
      // Scores of up to 30 · 16 lose 480 · 6e-8 to rounding, which the exponential hands on.
      tolerance: scale > 1 ? 1e-4 : 1e-5,
    });
  });

it('gives probabilities: rows sum to 1 over the keys that count', async () => {
  const inputs = [randomTensor([1, 3, 8], 1), randomTensor([1, 6, 16], 2), integers('u32', [1], [4])];
  const { outputs } = await runOp(attentionWeightsOp, inputs, { heads: 2, headWidth: 4, causal: false });
  for (let row = 0; row < 6; row++) {
    const p = [...outputs[0]!.subarray(row * 6, row * 6 + 6)];
    expect(p.slice(0, 4).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    expect(p.slice(4)).toEqual([0, 0]);
  }
});
