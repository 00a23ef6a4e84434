// A token by chance: softmax with a temperature, cut to the most probable tokens.

import { dropoutKey, pcg } from '../dropout-mask.ts';
import { expectType } from '../expect.ts';
import { type Builder, defineOp, type Value } from '../op.ts';
import { readStep } from '../step-scalars.ts';
import type { ChosenTokens } from './greedy-token.ts';
import {
  checkNextToken,
  dead,
  type NextTokenAttrs,
  nextTokenLaunch,
  nextTokenSample,
  nextTokenVariants,
  rule,
} from './next-token.ts';

/** How a token is drawn; data of a run. */
export interface Sampling {
  /** What logits are divided by; above 0. */
  readonly temperature: number;
  /** Of the most probable tokens the fewest whose probabilities sum to so much; 1: all. */
  readonly topP: number;
  /** So many of the most probable tokens, and those as probable as the last; 1: the most probable with the lowest id; 0: all. */
  readonly topK: number;
}

/** Numbers of the `sampling` input. */
export const samplingSize = 4;

/** Writes settings into the input `sampling` f32 [4]. */
export const writeSampling = (out: Float32Array, { temperature, topP, topK }: Sampling): void =>
  out.set([temperature, topP, topK, 0]);

/**
 * Inputs logits f32 [R,1,V] (used up), history i32 [R,T], rules i32 [4+N], step, sampling f32 [4], streams u32 [R]; outputs tokens
 * i32 [R,1] and logProbs f32 [R] in the model's own distribution. topK cuts before topP; what is as probable as the last token kept is
 * kept too, unless topK is 1. The draw is a function of step.seed, step.position, streams[r] and the probabilities.
 */
export const sampleTokenOp = defineOp<NextTokenAttrs>({
  name: 'sample_token',
  shape(inputs, attrs) {
    const R = checkNextToken('sample_token', inputs, attrs);
    expectType('sample_token', 'sampling', inputs[4], 'f32', [samplingSize]);
    expectType('sample_token', 'streams', inputs[5], 'u32', [R], 'one a row');
    return [
      { dtype: 'i32', shape: [R, 1] },
      { dtype: 'f32', shape: [R] },
    ];
  },
  mutates: [0],
  variants: nextTokenVariants,
  // Both cuts are made.
  sample: (node) => ({ ...nextTokenSample(node), 4: (i) => [0.8, 0.9, 40, 0][i]! }),
  launch({ attrs, inputs, outputs }, { variant }) {
    const [sampling, streams] = inputs.slice(4) as [Value, Value];
    const [tokens, log_probs] = outputs as [Value, Value];
    return nextTokenLaunch('sample_token', attrs, inputs, variant, { sampling, streams, tokens, log_probs });
  },
  reference(call) {
    const [tokens, logProbs] = call.outputs;
    const [, , , step, sampling, streams] = call.inputs;
    const [temperature = 1, topP = 1, topK = 0] = sampling!.data;
    const { seed, position } = readStep(step!.data);
    for (let r = 0; r < tokens!.data.length; r++) {
      const { z, normalizer } = rule(call, r);
      const largest = z.reduce((a, b) => Math.max(a, b));
      const logits = z.slice();
      const first = logits.indexOf(largest);
      for (const [i, x] of logits.entries()) z[i] = Math.exp((x - largest) / temperature);
      const falling = z.slice().sort((a, b) => b - a);
      let least = topK > 0 ? (falling[Math.min(topK, z.length) - 1] ?? 0) : 0;
      if (topP < 1) {
        const kept = falling.filter((p) => p >= least);
        const aim = topP * kept.reduce((a, b) => a + b, 0);
        let [mass, n] = [0, 0];
        while (mass < aim && n < kept.length) mass += kept[n++]!;
        least = kept[n - 1] ?? least;
      }
      const key = dropoutKey({ seed, step: position }, streams!.data[r]!);
      let best = -1;
      let token = call.attrs.endId;
      for (const [i, p] of z.entries()) {
        if (!(p > 0 && p >= least) || (topK === 1 && i !== first)) continue;
        const u = Math.min((pcg((pcg(i) + key) >>> 0) + 0.5) / 2 ** 32, 0.99999994);
        const speed = p / -Math.log1p(-u);
        if (speed > best) [best, token] = [speed, i];
      }
      tokens!.data[r] = largest > dead ? token : call.attrs.endId;
      logProbs!.data[r] = largest > dead ? logits[token]! - normalizer : 0;
    }
  },
});

/** A token drawn for each row of logits [R,1,V] from what the rules allow. */
export function sampleToken(
  g: Builder,
  logits: Value,
  history: Value,
  rules: Value,
  step: Value,
  { sampling, streams }: { readonly sampling: Value; readonly streams: Value },
  attrs: NextTokenAttrs,
): ChosenTokens {
  const [tokens, logProbs] = g.apply(sampleTokenOp, [logits, history, rules, step, sampling, streams], attrs) as [
    Value,
    Value,
  ];
  return { tokens, logProbs };
}
