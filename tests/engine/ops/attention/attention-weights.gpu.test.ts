// attention_weights against its reference.
import { it } from 'vitest';
import { attentionWeightsOp } from '../../../../src/engine/ops/attention/attention-weights.ts';
import { checkOp, integers, randomTensor } from '../../../support/op.ts';

it('gives the probabilities of each head, zeros for what is masked', async () => {
  for (const [queries, keys, heads, headWidth] of [
    [1, 1, 1, 1],
    [5, 7, 3, 4],
    [33, 130, 2, 5],
    [3, 5, 1, 37], // more vectors than are unrolled
    [3, 5, 1, 132],
  ] as const) {
    const kv = randomTensor([3, keys, 2 * heads * headWidth], 2);
    const lens = [keys, Math.ceil(keys / 2), 0];
    // Keys past the lengths may be anything; values are never looked at.
    kv.data.forEach((_, i) => {
      const row = Math.floor(i / (2 * heads * headWidth));
      if (row % keys >= lens[Math.floor(row / keys)]!) kv.data[i] = Number.NaN;
    });
    await checkOp(attentionWeightsOp, {
      inputs: { q: randomTensor([3, queries, heads * headWidth], 1), kv, lens: integers('u32', [3], lens) },
      attrs: { heads, headWidth },
      tolerance: 3e-6, // exp of scores up to about 10, 3 + 2|x| ULP
    });
  }
});

it('gives the probabilities of causal self-attention, and the scores before the mask', async () => {
  const [length, heads, headWidth] = [9, 3, 4];
  const qkv = randomTensor([2, length, 3 * heads * headWidth], 3);
  const inputs = { q: qkv, kv: qkv, lens: integers('u32', [2], [length, 5]) };
  for (const attrs of [{ causal: true }, { causal: false }, { causal: true, scores: true }, { scores: true }])
    await checkOp(attentionWeightsOp, {
      inputs,
      attrs: { heads, headWidth, self: true, ...attrs },
      tolerance: 3e-6,
    });
});

it('adds a relative position bias, within and beyond its farthest distance', async () => {
  const [length, heads, headWidth] = [9, 3, 4];
  const qkv = randomTensor([2, length, 3 * heads * headWidth], 3);
  const inputs = { q: qkv, kv: qkv, lens: integers('u32', [2], [length, 5]) };
  for (const farthest of [0, 2, 20])
    for (const attrs of [{ causal: true }, { causal: false }, { scores: true }])
      await checkOp(attentionWeightsOp, {
        inputs: { ...inputs, bias: randomTensor([heads, 2 * farthest + 1], 4) },
        attrs: { heads, headWidth, self: true, scale: 1, ...attrs },
        tolerance: 3e-6,
      });
});
