// The K most probable tokens of each row, for beam search; next-token.ts has the other choices and the rules.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { tensorType } from '../../../core/tensor.ts';
import { applyOp, attrsOf, type Builder, defineOp, type Value } from '../op.ts';
import {
  choiceInputs,
  choiceLaunch,
  choiceRows,
  choiceSample,
  choiceVariants,
  type NextTokenAttrs,
  nextTokenAttrs,
} from './next-token.ts';

/** `wanted`: number of tokens per row. */
export type BestTokensAttrs = NextTokenAttrs & { readonly wanted: number };

/**
 * tokens i32 [R,K] in descending order of logProbs f32 [R,K]; ends f32 [R], log-probabilities of the end
 * token.
 */
export interface BestTokens {
  readonly logProbs: Value;
  readonly tokens: Value;
  readonly ends: Value;
}

/**
 * The K most probable tokens of each row, for beam search: logProbs f32 [R,K], tokens i32 [R,K] and ends f32
 * [R]. The end token is not among the K; forbidden tokens have `masked` as their log-probability. If a row
 * has fewer than K other tokens, the end with `masked` fills it up.
 */
export const bestTokensOp = defineOp({
  name: 'best_tokens',
  inputs: choiceInputs,
  outputs: ['logProbs', 'tokens', 'ends'],
  attrs: attrsOf<BestTokensAttrs>({ ...nextTokenAttrs, wanted: 'number' }),
  shape(inputs, { wanted, ...attrs }) {
    const R = choiceRows('best_tokens', inputs, attrs);
    check(wanted >= 1, msg`${wanted} tokens wanted, must be at least 1`, { area: 'best_tokens' });
    const best = [R, wanted];
    return {
      logProbs: tensorType('f32', best),
      tokens: tensorType('i32', best),
      ends: tensorType('f32', [R]),
    };
  },
  mutates: ['logits'],
  variants: choiceVariants,
  sample: choiceSample,
  launch(inputs, { logProbs, tokens, ends }, attrs, { variant }) {
    const bind = { log_probs: logProbs, tokens, ends };
    const constants = attrs.areLogProbs ? { ARE_LOG_PROBS: 1 } : {};
    return choiceLaunch('best_tokens', attrs, inputs, variant, bind, attrs.wanted, constants);
  },
});

/**
 * The `wanted` most probable tokens of each row of logits [R,1,V] that the rules allow, and the end by
 * itself.
 *
 * @example
 * const history = graph.input('history', 'i32', [4, 32]);
 * const rules = graph.input('rules', 'i32', [rulesSize(2)]);
 * const best = bestTokens(graph, logits, history, rules, step, { endId: 2, rules: true, wanted: 4 });
 */
export const bestTokens = (
  builder: Builder,
  logits: Value,
  history: Value,
  rules: Value,
  step: Value,
  attrs: BestTokensAttrs,
): BestTokens => applyOp(builder, bestTokensOp, { logits, history, rules, step }, attrs);
