// Sublayers of few rows on the GPU: both variants, compared with their references.

import { describe, it } from 'vitest';
import {
  rowCrossAttentionOp,
  rowFeedForwardOp,
  rowLogitsOp,
  rowSelfAttentionOp,
} from '../../../../src/engine/ops/rows/row-sublayers.ts';
import { cacheSlots } from '../../../support/cache-slots.ts';
import { sample } from '../../../support/gpu.ts';
import { itInFull } from '../../../support/in-full.ts';
import { checkOp, integers, randomTensor } from '../../../support/op.ts';

const whole = (n: number): number => Math.ceil(n / 64) * 64;

// f32 sums of up to 512 products, after a norm.
const tolerance = 1e-5;

/** Inputs and attributes of a sublayer of `R` rows of `D` numbers, whose first product has `own` numbers. */
function sublayer(
  R: number,
  D: number,
  own: number,
  inner: number,
  how: { P?: number; rms?: boolean; norms?: number; keeps?: 'sum' | 'norm' },
) {
  const { P = 0, rms = false, norms = 1, keeps } = how;
  const W = whole(D);
  const outAt = whole(own * D);
  return {
    inputs: {
      x: randomTensor([R, 1, D], 1),
      parts: P > 0 ? randomTensor([P, R, D], 2) : undefined,
      vectors: randomTensor([5 * W + whole(own)], 3),
      matrices: randomTensor([outAt + inner * D], 4, 0.3),
    },
    attrs: {
      biasAt: P > 0 ? 0 : undefined,
      gammaAt: norms > 0 ? W : undefined,
      betaAt: norms > 0 && !rms ? 2 * W : undefined,
      eps: 1e-5,
      gamma2At: norms > 1 ? 3 * W : undefined,
      beta2At: norms > 1 && !rms ? 4 * W : undefined,
      eps2: 1e-3,
      ownAt: rms ? undefined : 5 * W,
      keeps,
      inAt: 0,
      outAt,
    },
  };
}

describe('row_self_attention', () => {
  const cases = [
    { R: 1, beams: 1, T: 5, heads: 2, W: 4, D: 12, position: 0, how: {} },
    { R: 4, beams: 2, T: 9, heads: 2, W: 8, D: 20, position: 7, how: { P: 3, keeps: 'norm' as const } },
    {
      R: 1,
      beams: 1,
      T: 300,
      heads: 4,
      W: 32,
      D: 128,
      position: 270,
      how: { P: 2, keeps: 'sum' as const, rms: true },
    },
    { R: 8, beams: 4, T: 40, heads: 8, W: 64, D: 512, position: 31, how: { P: 4, keeps: 'norm' as const } },
    { R: 1, beams: 1, T: 12, heads: 1, W: 128, D: 128, position: 11, how: { norms: 0 } },
  ];
  for (const { R, beams, T, heads, W, D, position, how } of sample(cases, ({ D }) => D === 12))
    it(`reads ${position + 1} keys of ${R} rows, ${beams} a sentence, ${heads} heads of ${W}`, async () => {
      const { inputs, attrs } = sublayer(R, D, 3 * heads * W, heads * W, how);
      await checkOp(rowSelfAttentionOp, {
        inputs: {
          ...inputs,
          cache: randomTensor([R, T, 2 * heads * W], 5),
          slots: cacheSlots({ R, beams, T, position }, W),
          step: 'step',
        },
        attrs: { ...attrs, heads, headWidth: W, beams },
        step: { position },
        tolerance,
      });
    });
});

describe('row_cross_attention', () => {
  const cases = [
    { R: 2, beams: 1, S: 7, heads: 2, W: 4, D: 12, lens: [0, 7], how: {} },
    { R: 4, beams: 2, S: 270, heads: 2, W: 32, D: 64, lens: [261, 1], how: { P: 2, keeps: 'norm' as const } },
  ];
  for (const { R, beams, S, heads, W, D, lens, how } of cases)
    itInFull(`reads ${lens} keys, ${beams} beams, ${heads} heads of ${W}`, async () => {
      const { inputs, attrs } = sublayer(R, D, heads * W, heads * W, how);
      const kv = randomTensor([R / beams, S, 2 * heads * W], 5);
      await checkOp(rowCrossAttentionOp, {
        inputs: { ...inputs, kv, lens: integers('u32', [R / beams], lens) },
        attrs: { ...attrs, heads, headWidth: W, beams, scale: 0.5 },
        tolerance,
      });
    });
});

describe('row_feed_forward', () => {
  const cases = [
    { R: 1, D: 8, hidden: 12, activation: 'relu' as const, how: {} },
    { R: 3, D: 64, hidden: 100, activation: 'gelu' as const, how: { P: 5, keeps: 'sum' as const } },
  ];
  for (const { R, D, hidden, activation, how } of cases)
    itInFull(`has ${hidden} hidden units, ${activation}`, async () => {
      const { inputs, attrs } = sublayer(R, D, hidden, hidden, how);
      await checkOp(rowFeedForwardOp, { inputs, attrs: { ...attrs, hidden, activation }, tolerance });
    });
});

describe('row_logits', () => {
  const cases = [
    { R: 1, D: 8, vocab: 64, how: { P: 1 } },
    { R: 2, D: 68, vocab: 131, how: { P: 2, norms: 2 } },
  ];
  for (const { R, D, vocab, how } of cases)
    itInFull(`are ${vocab}, after ${how.norms ?? 1} norms`, async () => {
      const { inputs, attrs } = sublayer(R, D, vocab, 0, how);
      const width = Math.ceil(vocab / 4) * 4;
      await checkOp(rowLogitsOp, { inputs, attrs: { ...attrs, vocab, width }, tolerance });
    });
});
