// A step of beam search on the GPU.

import { describe, expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { f32 } from '../../../../src/core/tensor.ts';
import { beamSelectOp } from '../../../../src/engine/ops/decoding/beam-select.ts';
import { masked } from '../../../../src/engine/ops/decoding/next-token.ts';
import { checkOp, integers } from '../../../support/op.ts';
import { runOp } from '../../../support/run-op.ts';

/** Falling log-probabilities, ends and scores of B sentences of K beams. */
function step(B: number, K: number) {
  const [R, r] = [B * K, random(B, K)];
  const fall = () => Array.from({ length: K }, () => -5 * r.uniform()).sort((a, b) => b - a);
  const numbers = (n: number, scale: number) => Array.from({ length: n }, () => -scale * r.uniform());
  return {
    logProbs: f32([R, K], Array.from({ length: R }, fall).flat()),
    candidates: integers(
      'i32',
      [R, K],
      Array.from({ length: R * K }, () => r.int(1000)),
    ),
    ends: f32([R], numbers(R, 5)),
    scores: f32([R], numbers(R, 4)),
    step: 'step' as const,
  };
}

describe('beam_select', () => {
  for (const [B, K] of [
    [1, 1],
    [40, 2],
    [3, 5],
    [33, 8],
    [1, 64],
  ] as const)
    for (const position of [0, 3])
      it(`chooses among ${B} sentences of ${K} beams at position ${position}`, async () => {
        // Sums of three float32 numbers.
        for (const shrinks of [undefined, true])
          await checkOp(beamSelectOp, {
            inputs: step(B, K),
            attrs: { shrinks },
            step: { position },
            tolerance: 1e-6,
          });
      });

  const choose = async (logProbs: number[], ends: number[], scores: number[], position = 1) => {
    const K = scores.length;
    const inputs = {
      logProbs: f32([K, K], logProbs),
      candidates: integers(
        'i32',
        [K, K],
        logProbs.map((_, i) => 10 + i),
      ),
      ends: f32([K], ends),
      scores: f32([K], scores),
      step: 'step' as const,
    };
    const { outputs } = await runOp(beamSelectOp, inputs, {}, { step: { position } });
    return {
      tokens: [...outputs.tokens],
      parents: [...outputs.parents],
      totals: [...outputs.totals],
      ended: [...outputs.ended],
    };
  };

  it('accepts an end token only among the best candidates', async () => {
    // In all: -1 (10), -1.5 (end 0), -2 (11), -2.2 (12), -2.3 (end 1), -3.2 (13). The second end is not a
    // hypothesis.
    const { tokens, parents, totals, ended } = await choose([-1, -2, -0.2, -1.2], [-1.5, -0.3], [0, -2]);
    expect(tokens).toEqual([10, 11]);
    expect(parents).toEqual([0, 0]);
    expect(totals).toEqual([-1, -2]);
    expect(ended).toEqual([-1.5, Math.fround(masked)]);
  });

  it('loses a beam for each end with the rule of Marian', async () => {
    const inputs = {
      logProbs: f32([3, 3], [-1, -4, -5, -0.2, -4, -5, -0.1, -0.2, -0.3]),
      candidates: integers('i32', [3, 3], [10, 11, 12, 13, 14, 15, 16, 17, 18]),
      ends: f32([3], [-1.5, -0.3, 0]),
      scores: f32([3], [0, -2, masked]),
      step: 'step' as const,
    };
    // Two beams run. The two best: -1 (10) and -1.5 (end 0).
    const { outputs } = await runOp(beamSelectOp, inputs, { shrinks: true }, { step: { position: 2 } });
    const dead = Math.fround(masked);
    expect([...outputs.ended]).toEqual([-1.5, dead, dead]);
    expect([...outputs.totals]).toEqual([-1, dead, dead]);
    expect(outputs.tokens[0]).toBe(10);
  });

  it('never takes a forbidden end token', async () => {
    const { ended } = await choose([-1, -2, masked, masked], [masked, masked], [0, masked]);
    expect(ended).toEqual([Math.fround(masked), Math.fround(masked)]);
  });
});
