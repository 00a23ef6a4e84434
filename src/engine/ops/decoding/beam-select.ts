// One step of beam search over the best tokens of each row: the next beams, their parents, and the hypotheses
// that end.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { show, tensorType } from '../../../core/tensor.ts';
import { applyOp, attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { gridOf } from '../work-division.ts';
import { maxBeams } from './cache-slots.ts';

/** Outputs of `beamSelect`; the rows of a sentence are consecutive, the best first. */
export interface BeamStep {
  /** i32 [R,1], the next tokens. */
  readonly tokens: Value;
  /** i32 [R], the row of the sentence that each continues. */
  readonly parents: Value;
  /** f32 [R], their sums of log-probabilities. */
  readonly totals: Value;
  /**
   * f32 [R], for each row before the step: the score of the finished hypothesis, `masked` if it does not end.
   */
  readonly ended: Value;
}

/**
 * `shrinks`: whether a hypothesis that ends takes the place of a beam, as in Marian. Of n beams that run, the n
 * best tokens and ends are chosen; those tokens continue, and the other rows are dead from then on: their totals
 * are `masked`.
 */
export type BeamSelectAttrs = { readonly shrinks?: boolean };

/**
 * logProbs f32 [R,K] in descending order, candidates i32 [R,K], ends f32 [R], scores f32 [R] (a state,
 * written), step; R = sentences · K. Outputs as `BeamStep`. Of a sentence's K · K tokens and K ends the K
 * best tokens continue; an end counts if fewer than K of all are better (Hugging Face's rule). At
 * step.position 0 only the first row of each sentence counts.
 */
export const beamSelectOp = defineOp({
  name: 'beam_select',
  inputs: ['logProbs', 'candidates', 'ends', 'scores', 'step'],
  outputs: ['tokens', 'parents', 'totals', 'ended'],
  attrs: attrsOf<BeamSelectAttrs>({ shrinks: 'boolean?' }),
  shape({ logProbs, candidates, ends, scores, step }) {
    const name = 'beam_select';
    const [R = 0, K = 0] = logProbs.shape;
    expectType(name, 'logProbs', logProbs, 'f32', [R, K]);
    expectType(name, 'candidates', candidates, 'i32', [R, K], `logProbs is ${show(logProbs.shape)}`);
    expectType(name, 'ends', ends, 'f32', [R], 'one for each row');
    expectType(name, 'scores', scores, 'f32', [R], 'one for each row');
    expectStep(name, step);
    check(
      K >= 1 && K <= maxBeams && R % K === 0,
      () => msg`${R} rows of ${K} tokens; there must be as many tokens as beams, 1..${maxBeams}`,
      { area: 'beam_select' },
    );
    return {
      tokens: tensorType('i32', [R, 1]),
      parents: tensorType('i32', [R]),
      totals: tensorType('f32', [R]),
      ended: tensorType('f32', [R]),
    };
  },
  mutates: ['scores'],
  launch({ logProbs, ...inputs }, outputs, { shrinks }) {
    const [R = 0, K = 0] = logProbs.shape;
    return [
      {
        shader: 'beam-select',
        entry: 'beam_select',
        constants: { BEAMS: K, SHRINKS: shrinks ? 1 : undefined },
        params: { sentences: R / K },
        bind: { log_probs: logProbs, ...inputs, ...outputs },
        grid: gridOf(R / K, 32),
      },
    ];
  },
});

/**
 * The next beams from the best tokens [R,K] of each row and their end tokens [R]; see `beamSelectOp`.
 *
 * @example
 * const best = {
 *   logProbs: graph.input('logProbs', 'f32', [8, 4]),
 *   tokens: graph.input('tokens', 'i32', [8, 4]),
 *   ends: graph.input('ends', 'f32', [8]),
 * };
 * const { parents } = beamSelect(graph, best, graph.state('scores', 'f32', [8]), step);
 */
export const beamSelect = (
  builder: Builder,
  best: { readonly logProbs: Value; readonly tokens: Value; readonly ends: Value },
  scores: Value,
  step: Value,
  attrs: BeamSelectAttrs = {},
): BeamStep => {
  const { tokens: candidates, ...others } = { ...best };
  return applyOp(builder, beamSelectOp, { ...others, candidates, scores, step }, attrs);
};
