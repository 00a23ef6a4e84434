// Repetition penalty: tokens that a row has become less probable, before a token is chosen.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim } from '../../../core/tensor.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { gridOf } from '../work-division.ts';

/**
 * `ofLogProbs`: whether the penalty acts on log-probabilities, as in beam search; else on logits. `vocab`: V, if rows of
 * the logits are padded.
 */
export type PenalizeRepeatsAttrs = { readonly ofLogProbs: boolean; readonly vocab?: number };

/**
 * logits f32 [R,1,V] (overwritten), history i32 [R,T], penalty f32 [1], step. No outputs. The logit of each token that a
 * row has so far, its start token included, is multiplied by the penalty if it is below 0, else divided by it. With
 * `ofLogProbs` the logits become log-probabilities first, and need not be those of a distribution afterwards.
 */
export const penalizeRepeatsOp = defineOp({
  name: 'penalize_repeats',
  inputs: ['logits', 'history', 'penalty', 'step'],
  attrs: attrsOf<PenalizeRepeatsAttrs>({ ofLogProbs: 'boolean', vocab: 'number?' }),
  shape({ logits, history, penalty, step }, { vocab = dim(logits, -1) }) {
    const op = 'penalize_repeats';
    const [R = 0, , V = 0] = logits.shape;
    expectType(op, 'logits', logits, 'f32', [R, 1, V]);
    expectType(op, 'history', history, 'i32', [R, dim(history, 1)]);
    expectType(op, 'penalty', penalty, 'f32', [1]);
    expectStep(op, step);
    check(vocab <= V, () => msg`rows of ${V} logits for ${vocab} tokens`, { area: op });
    return {};
  },
  mutates: ['logits'],
  launch({ logits, history, penalty, step }, _outputs, { ofLogProbs, vocab = dim(logits, -1) }) {
    const rows = dim(logits, 0);
    return [
      {
        shader: 'penalize-repeats',
        entry: 'penalize_repeats',
        constants: { OF_LOG_PROBS: ofLogProbs ? 1 : 0 },
        params: { rows, cols: dim(logits, 2), vocab, positions: dim(history, 1) },
        bind: { logits, history, penalty, step },
        grid: gridOf(rows, 1),
      },
    ];
  },
});

/**
 * Penalizes the repeated tokens of logits [R,1,V], which it overwrites.
 *
 * @example
 * const history = graph.input('history', 'i32', [4, 32]);
 * const penalty = graph.input('penalty', 'f32', [1]);
 * penalizeRepeats(graph, logits, history, penalty, step, { ofLogProbs: false });
 */
export function penalizeRepeats(
  builder: Builder,
  logits: Value,
  history: Value,
  penalty: Value,
  step: Value,
  attrs: PenalizeRepeatsAttrs,
): void {
  builder.apply(penalizeRepeatsOp, { logits, history, penalty, step }, attrs);
}
