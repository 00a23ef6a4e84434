// Attention while decoding on the GPU, compared with its reference and with the attention of whole sequences.

import { describe, expect, it } from 'vitest';
import { toFloat16 } from '../../../../src/core/float16.ts';
import { f32 } from '../../../../src/core/tensor.ts';
import { selfAttentionOp } from '../../../../src/engine/ops/attention/attention.ts';
import {
  cachedCrossAttentionOp,
  cachedSelfAttentionOp,
} from '../../../../src/engine/ops/decoding/cached-attention.ts';
import { packF16Op } from '../../../../src/engine/ops/decoding/pack-f16.ts';
import { cacheSlots } from '../../../support/cache-slots.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { sample } from '../../../support/gpu.ts';
import { checkOp, integers, randomTensor, relativeError } from '../../../support/op.ts';
import { runOp } from '../../../support/run-op.ts';

/** Words with two random f16 numbers each. */
const packed = (shape: readonly number[], seed: number) => {
  const x = randomTensor([...shape.slice(0, -1), 2 * (shape.at(-1) ?? 0)], seed);
  return integers('u32', shape, new Uint32Array(toFloat16(x.data as Float32Array).buffer));
};

// f32 sums of up to 256 products and 131 keys: 256 · 6e-8 at worst, in practice a tenth.
const tolerance = 1e-5;

describe('cached_self_attention', () => {
  const cases: {
    R: number;
    beams: number;
    T: number;
    heads: number;
    W: number;
    position: number;
    scale?: number;
  }[] = [
    { R: 1, beams: 1, T: 1, heads: 1, W: 1, position: 0 },
    { R: 3, beams: 1, T: 9, heads: 2, W: 6, position: 8 },
    { R: 6, beams: 3, T: 7, heads: 3, W: 5, position: 4 },
    { R: 8, beams: 4, T: 131, heads: 4, W: 16, position: 127 },
    { R: 2, beams: 2, T: 131, heads: 1, W: 64, position: 128, scale: 30 },
    { R: 2, beams: 1, T: 40, heads: 2, W: 100, position: 31, scale: 1e-3 },
    { R: 1, beams: 1, T: 12, heads: 1, W: 256, position: 11 },
    { R: 2, beams: 1, T: 5, heads: 1, W: 896, position: 4 },
    { R: 35, beams: 5, T: 4, heads: 2, W: 8, position: 3 },
  ];
  for (const { R, beams, T, heads, W, position, scale = 1 } of sample(cases, ({ W }) =>
    [5, 6, 64, 896].includes(W),
  ))
    it(`reads ${position + 1} slots of ${R} rows, ${beams} a sentence, ${heads} heads of ${W}, scale ${scale}`, async () => {
      const inner = heads * W;
      await checkOp(cachedSelfAttentionOp, {
        inputs: {
          qkv: randomTensor([R, 1, 3 * inner], 1, scale),
          cache: randomTensor([R, T, 2 * inner], 2, scale),
          slots: cacheSlots({ R, beams, T, position }, W),
          step: 'step',
        },
        attrs: { heads, headWidth: W, beams },
        step: { position },
        tolerance,
      });
    });

  it('adds a bias of position, also beyond its farthest distance, and takes another scale', async () => {
    const sizes = [
      [1, 1, 1, 1, 5, 0, 0],
      [4, 2, 9, 3, 5, 7, 3],
      [3, 1, 140, 2, 64, 133, 113],
      [2, 2, 40, 2, 300, 38, 65],
    ] as const;
    for (const [R, beams, T, heads, W, position, farthest] of sample(sizes, ([rows]) => rows > 2))
      await checkOp(cachedSelfAttentionOp, {
        inputs: {
          qkv: randomTensor([R, 1, 3 * heads * W], 1, 0.5),
          cache: randomTensor([R, T, 2 * heads * W], 2, 0.5),
          slots: integers(
            'u32',
            [R, T],
            Array.from({ length: R * T }, (_, i) => (Math.floor(i / T) % beams) * T + (i % T)),
          ),
          step: 'step',
          bias: randomTensor([heads, 2 * farthest + 1], 3),
        },
        attrs: { heads, headWidth: W, beams, scale: 1 / Math.sqrt(2 * W) },
        step: { position },
        tolerance,
      });
  });

  it.each([false, true])(
    'equals, token after token, causal attention over the whole sequence; bias: %s',
    async (has) => {
      const [T, heads, W] = [6, 2, 8];
      const inner = heads * W;
      const qkv = randomTensor([1, T, 3 * inner], 5);
      const bias = has ? { bias: randomTensor([heads, 7], 6) } : {};
      const whole = await runOp(
        selfAttentionOp,
        { qkv, lens: integers('u32', [1], [T]), step: 'step', ...bias },
        {
          heads,
          headWidth: W,
          causal: true,
        },
      );
      let cache = new Float32Array(T * 2 * inner);
      const slots = integers('u32', [1, T], [0, 1, 2, 3, 4, 5]);
      for (let t = 0; t < T; t++) {
        const token = f32([1, 1, 3 * inner], qkv.data.subarray(t * 3 * inner, (t + 1) * 3 * inner));
        const run = await runOp(
          cachedSelfAttentionOp,
          { qkv: token, cache: f32([1, T, 2 * inner], cache), slots, step: 'step', ...bias },
          { heads, headWidth: W, beams: 1 },
          { step: { position: t } },
        );
        cache = Float32Array.from(run.states.cache);
        const want = whole.outputs.out.subarray(t * inner, (t + 1) * inner);
        expect(relativeError(run.outputs.out, want)).toBeLessThan(tolerance);
      }
    },
  );
});

describe('keys and values packed as f16', () => {
  it('are written and read by self-attention as the reference does', async () => {
    for (const [R, beams, T, heads, W, position] of sample(
      [
        [6, 3, 9, 2, 8, 5],
        [2, 1, 131, 1, 64, 127],
        [4, 4, 40, 3, 4, 38],
      ] as const,
      ([rows]) => rows === 6,
    )) {
      const inner = heads * W;
      await checkOp(cachedSelfAttentionOp, {
        inputs: {
          qkv: randomTensor([R, 1, 3 * inner], 1),
          cache: packed([R, T, inner], 2),
          slots: integers(
            'u32',
            [R, T],
            Array.from({ length: R * T }, (_, i) => (Math.floor(i / T) % beams) * T + (i % T)),
          ),
          step: 'step',
        },
        attrs: { heads, headWidth: W, beams },
        step: { position },
        tolerance,
      });
    }
  });

  it('are read by cross-attention, and packed by pack_f16', async () => {
    const [B, beams, S, heads, W] = [2, 4, 33, 2, 12];
    await checkOp(cachedCrossAttentionOp, {
      inputs: {
        q: randomTensor([B * beams, 1, heads * W], 1),
        kv: packed([B, S, heads * W], 2),
        lens: integers('u32', [B], [33, 30]),
      },
      attrs: { heads, headWidth: W, beams },
      tolerance,
    });
    await checkOp(packF16Op, { inputs: { x: randomTensor([3, 5, 12], 7, 100) }, attrs: {} });
  });

  it('need heads of whole vectors', () => {
    const types = {
      q: { dtype: 'f32', shape: [2, 1, 6] },
      kv: { dtype: 'u32', shape: [2, 5, 6] },
      lens: { dtype: 'u32', shape: [2] },
    } as const;
    expect(() => cachedCrossAttentionOp.shape(types, { heads: 1, headWidth: 6, beams: 1 })).toThrow(
      errorAbout({ area: 'cached_cross_attention', values: ['kv', 'u32', '[2,5,6]', 'f32'] }),
    );
  });
});

describe('cached_cross_attention', () => {
  const cases: { lens: number[]; beams: number; S: number; heads: number; W: number; scale?: number }[] = [
    { lens: [1], beams: 1, S: 1, heads: 1, W: 1 },
    { lens: [5, 0, 9], beams: 1, S: 9, heads: 3, W: 7 },
    { lens: [33, 31], beams: 4, S: 33, heads: 2, W: 12 },
    { lens: [129, 128, 1], beams: 2, S: 131, heads: 2, W: 32, scale: 30 },
    { lens: [3], beams: 3, S: 5, heads: 1, W: 256, scale: 1e-3 },
  ];
  for (const { lens, beams, S, heads, W, scale = 1 } of sample(cases, ({ W }) => [7, 12, 32].includes(W)))
    it(`reads ${lens} of ${S} keys, ${beams} rows a sentence, ${heads} heads of ${W}, scale ${scale}`, async () => {
      const [B, inner] = [lens.length, heads * W];
      await checkOp(cachedCrossAttentionOp, {
        inputs: {
          q: randomTensor([B * beams, 1, inner], 1, scale),
          kv: randomTensor([B, S, 2 * inner], 2, scale),
          lens: integers('u32', [B], lens),
        },
        attrs: { heads, headWidth: W, beams },
        tolerance,
      });
    });

  it('rejects keys of another number of sentences', () => {
    const types = {
      q: { dtype: 'f32', shape: [6, 1, 8] },
      kv: { dtype: 'f32', shape: [2, 5, 16] },
      lens: { dtype: 'u32', shape: [2] },
    } as const;
    expect(() => cachedCrossAttentionOp.shape(types, { heads: 2, headWidth: 4, beams: 2 })).toThrow(
      errorAbout({ area: 'cached_cross_attention', values: ['kv', 'f32', '[2,5,16]'] }),
    );
    expect(() => cachedCrossAttentionOp.shape(types, { heads: 2, headWidth: 4, beams: 4 })).toThrow(
      errorAbout({ area: 'cached_cross_attention', values: [6, 4] }),
    );
  });
});
