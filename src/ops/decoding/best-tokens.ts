// The most probable tokens of each row: what beam search chooses among.

import { check } from '../../core/errors.ts';
import { type Builder, defineOp, type Value } from '../op.ts';
import {
  checkNextToken,
  masked,
  type NextTokenAttrs,
  nextTokenLaunch,
  nextTokenSample,
  nextTokenVariants,
  rule,
} from './next-token.ts';

/** `wanted`: tokens a row. */
export interface BestTokensAttrs extends NextTokenAttrs {
  readonly wanted: number;
}

/** The best of each row, tokens i32 [R,K] by falling logProbs f32 [R,K], and the log-probability of the end, ends f32 [R]. */
export interface BestTokens {
  readonly logProbs: Value;
  readonly tokens: Value;
  readonly ends: Value;
}

/**
 * Inputs logits f32 [R,1,V] (used up), history i32 [R,T], rules i32 [4+N], step; outputs logProbs f32 [R,K], tokens i32 [R,K] and ends
 * f32 [R]. The end token is not among the K; what the rules forbid has `masked` as its log-probability. Where a row has fewer than K
 * other tokens, the end fills up with `masked`.
 */
export const bestTokensOp = defineOp<BestTokensAttrs>({
  name: 'best_tokens',
  shape(inputs, attrs) {
    const R = checkNextToken('best_tokens', inputs, attrs);
    check(attrs.wanted >= 1, `best_tokens: ${attrs.wanted} tokens wanted, must be at least 1`);
    return [
      { dtype: 'f32', shape: [R, attrs.wanted] },
      { dtype: 'i32', shape: [R, attrs.wanted] },
      { dtype: 'f32', shape: [R] },
    ];
  },
  mutates: [0],
  variants: nextTokenVariants,
  sample: nextTokenSample,
  launch({ attrs, inputs, outputs }, { variant }) {
    const [log_probs, tokens, ends] = outputs as [Value, Value, Value];
    return nextTokenLaunch('best_tokens', attrs, inputs, variant, { log_probs, tokens, ends }, attrs.wanted);
  },
  reference(call) {
    const { endId, wanted } = call.attrs;
    const [logProbs, tokens, ends] = call.outputs;
    for (let r = 0; r < ends!.data.length; r++) {
      const { z, normalizer } = rule(call, r);
      const order = Array.from(z, (value, id) => ({ value, id })).filter(({ id }) => id !== endId);
      order.sort((a, b) => b.value - a.value || a.id - b.id);
      for (let k = 0; k < wanted; k++) {
        logProbs!.data[r * wanted + k] = Math.max(masked, (order[k]?.value ?? masked) - normalizer);
        tokens!.data[r * wanted + k] = order[k]?.id ?? endId;
      }
      ends!.data[r] = Math.max(masked, z[endId]! - normalizer);
    }
  },
});

/** The `wanted` most probable tokens of each row of logits [R,1,V] that the rules allow, and the end apart. */
export function bestTokens(
  g: Builder,
  logits: Value,
  history: Value,
  rules: Value,
  step: Value,
  attrs: BestTokensAttrs,
): BestTokens {
  const [logProbs, tokens, ends] = g.apply(bestTokensOp, [logits, history, rules, step], attrs) as [
    Value,
    Value,
    Value,
  ];
  return { logProbs, tokens, ends };
}
