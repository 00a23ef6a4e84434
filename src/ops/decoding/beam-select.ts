// One step of beam search over the best tokens of each row: which go on, from which rows, and which hypotheses end.

import { check } from '../../core/errors.ts';
import { show } from '../../core/tensor.ts';
import { expectStep, expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, gridOf, type Value } from '../op.ts';
import { readStep } from '../step-scalars.ts';
import { maxBeams } from './cache-slots.ts';
import { masked } from './next-token.ts';

/** What `beamSelect` gives; rows of a sentence stand together, the best first. */
export interface BeamStep {
  /** i32 [R,1], the tokens that go on. */
  readonly tokens: Value;
  /** i32 [R], the row of the sentence that each goes on from. */
  readonly parents: Value;
  /** f32 [R], their sums of log-probabilities. */
  readonly totals: Value;
  /** f32 [R], for each row before the step: the sum of log-probabilities with its end, where that is a hypothesis; else `masked`. */
  readonly ended: Value;
}

/**
 * Inputs logProbs f32 [R,K] falling, tokens i32 [R,K], ends f32 [R], scores f32 [R] (a state, written), step; R = sentences · K.
 * Outputs tokens i32 [R,1], parents i32 [R], totals f32 [R], ended f32 [R]. Of all of a sentence's K · K tokens and K ends the K best
 * tokens go on; an end counts where fewer than K of all are better (Hugging Face's rule). At step.position 0 only the first row lives.
 */
export const beamSelectOp = defineOp({
  name: 'beam_select',
  shape(inputs) {
    const name = 'beam_select';
    const logProbs = inputAt(name, inputs, 0, 'logProbs');
    const [R = 0, K = 0] = logProbs.shape;
    expectType(name, 'logProbs', logProbs, 'f32', [R, K]);
    expectType(name, 'tokens', inputs[1], 'i32', [R, K], `logProbs is ${show(logProbs.shape)}`);
    expectType(name, 'ends', inputs[2], 'f32', [R], 'one a row');
    expectType(name, 'scores', inputs[3], 'f32', [R], 'one a row');
    expectStep(name, inputs[4]);
    check(
      K >= 1 && K <= maxBeams && R % K === 0,
      () => `beam_select: ${R} rows of ${K} tokens; there must be as many tokens as beams, 1..${maxBeams}`,
    );
    return [
      { dtype: 'i32', shape: [R, 1] },
      { dtype: 'i32', shape: [R] },
      { dtype: 'f32', shape: [R] },
      { dtype: 'f32', shape: [R] },
    ];
  },
  mutates: [3],
  launch({ inputs, outputs }) {
    const [log_probs, candidates, ends, scores, step] = inputs as [Value, Value, Value, Value, Value];
    const [tokens, parents, totals, ended] = outputs as [Value, Value, Value, Value];
    const [R = 0, K = 0] = log_probs.shape;
    return [
      {
        shader: 'beam-select',
        entry: 'beam_select',
        constants: { BEAMS: K },
        params: { sentences: R / K },
        bind: { log_probs, candidates, ends, scores, tokens, parents, totals, ended, step },
        grid: gridOf(R / K, 32),
      },
    ];
  },
  reference({ inputs, outputs }) {
    const [logProbs, candidates, ends, scores, step] = inputs.map((x) => x.data) as Float64Array[];
    const [tokens, parents, totals, ended] = outputs.map((x) => x.data) as Float64Array[];
    const [R = 0, K = 0] = inputs[0]!.shape;
    const start = readStep(step!).position === 0;
    ended!.fill(masked);
    for (let first = 0; first < R; first += K) {
      const before = Array.from({ length: K }, (_, k) => (start ? (k === 0 ? 0 : masked) : scores![first + k]!));
      const all = before.flatMap((score, k) => [
        ...Array.from({ length: K }, (_, j) => {
          const at = (first + k) * K + j;
          return { score: score + logProbs![at]!, k, token: candidates![at]!, isEnd: false };
        }),
        { score: score + ends![first + k]!, k, token: 0, isEnd: true },
      ]);
      all.sort((x, y) => y.score - x.score); // stable: the lower row first, tokens before ends
      for (const { score, k, isEnd } of all.slice(0, K)) if (isEnd && score > masked / 10) ended![first + k] = score;
      for (const [k, x] of all
        .filter((x) => !x.isEnd)
        .slice(0, K)
        .entries()) {
        tokens![first + k] = x.token;
        parents![first + k] = x.k;
        totals![first + k] = x.score;
        scores![first + k] = x.score;
      }
    }
  },
});

/** The next beams from the best tokens [R,K] of each row, their log-probabilities, and the ends' [R]; see `beamSelectOp`. */
export function beamSelect(
  g: Builder,
  best: { readonly logProbs: Value; readonly tokens: Value; readonly ends: Value },
  scores: Value,
  step: Value,
): BeamStep {
  const inputs = [best.logProbs, best.tokens, best.ends, scores, step];
  const [tokens, parents, totals, ended] = g.apply(beamSelectOp, inputs, {}) as [Value, Value, Value, Value];
  return { tokens, parents, totals, ended };
}
