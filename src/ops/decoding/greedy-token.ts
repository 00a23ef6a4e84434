// The token that greedy decoding takes: the most probable that the rules allow.

import { type Builder, defineOp, type Value } from '../op.ts';
import {
  checkNextToken,
  dead,
  type NextTokenAttrs,
  nextTokenLaunch,
  nextTokenSample,
  nextTokenVariants,
  rule,
} from './next-token.ts';

/** A token for each row, i32 [R,1], and its log-probability in the model's own distribution, before the rules, f32 [R]. */
export interface ChosenTokens {
  readonly tokens: Value;
  readonly logProbs: Value;
}

/**
 * Inputs logits f32 [R,1,V] (used up), history i32 [R,T], rules i32 [4+N], step; outputs tokens i32 [R,1] and logProbs f32 [R]. Of
 * equally probable tokens the one with the lowest id. What is forced, and an end that comes because nothing else may, has probability 1.
 */
export const greedyTokenOp = defineOp<NextTokenAttrs>({
  name: 'greedy_token',
  shape(inputs, attrs) {
    const R = checkNextToken('greedy_token', inputs, attrs);
    return [
      { dtype: 'i32', shape: [R, 1] },
      { dtype: 'f32', shape: [R] },
    ];
  },
  mutates: [0],
  variants: nextTokenVariants,
  sample: nextTokenSample,
  launch({ attrs, inputs, outputs }, { variant }) {
    const [tokens, log_probs] = outputs as [Value, Value];
    return nextTokenLaunch('greedy_token', attrs, inputs, variant, { tokens, log_probs });
  },
  reference(call) {
    const [tokens, logProbs] = call.outputs;
    for (let r = 0; r < tokens!.data.length; r++) {
      const { z, normalizer } = rule(call, r);
      const largest = z.reduce((a, b) => Math.max(a, b));
      tokens!.data[r] = largest > dead ? z.indexOf(largest) : call.attrs.endId;
      logProbs!.data[r] = largest > dead ? largest - normalizer : 0;
    }
  },
});

/** The most probable token of each row of logits [R,1,V] that the rules allow. */
export function greedyToken(
  g: Builder,
  logits: Value,
  history: Value,
  rules: Value,
  step: Value,
  attrs: NextTokenAttrs,
): ChosenTokens {
  const [tokens, logProbs] = g.apply(greedyTokenOp, [logits, history, rules, step], attrs) as [Value, Value];
  return { tokens, logProbs };
}
