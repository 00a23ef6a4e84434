// Rules of what a search may choose next, for all rows of a step. Those of every call are end, length, n-grams, bad
// words and prefixes, which the ops that choose a token read from their input (next-token.ts). A guest may bring others,
// such as those of time stamps. Rules that the host decides for single texts are in ruled-texts.ts.

import type { Program } from '../engine/engine.ts';
import type { Graph } from '../engine/graph/graph.ts';
import { type NextTokenRules, writeRules } from '../engine/ops/decoding/next-token.ts';
import type { Value } from '../engine/ops/op.ts';

/** The logits of a step, and what rules may read beside them. */
export interface StepLogits {
  readonly graph: Graph;
  /** f32 [R,1,V]. */
  readonly logits: Value;
  /** Tokens of each row so far, i32 [R,T]. */
  readonly history: Value;
  readonly step: Value;
  /** Size of the vocabulary, if the logits are padded to whole vectors. */
  readonly vocab?: number;
}

/** Sources at the places of a batch, each with `rows` rows; undefined: an empty place. */
export interface StepPlaces {
  readonly sources: readonly (ArrayLike<number> | undefined)[];
  readonly rows: number;
}

/** Rules that the device applies in each step: nodes of the step graph, and the data of a run. */
export interface TokenRules {
  /**
   * Adds the rules to a step graph: changes `logits`, and adds inputs. Returns what to do with the log-probabilities of
   * the tokens that are chosen, which are those among the allowed ones. Default: the ops that choose apply them.
   */
  apply?(step: StepLogits): (logProbs: Value) => Value;
  /** Fills the inputs of a step with the rules of a run. */
  write(inputs: Program['inputs'], places: StepPlaces): void;
}

/** The tokens with which the translations of a call begin; see target-constraints.ts. */
export interface ForcedPrefixes {
  /** Number of tokens of the longest one, with a forced first token of the model. */
  readonly length: number;
  /** Writes those of the sources at each place of a batch into the input `rules` of `rows` rows each. */
  write(rules: Int32Array, sources: StepPlaces['sources'], rows: number): void;
}

/** The rules of every call: end, length, repeated tokens and n-grams, bad words, and the tokens with which translations begin. */
export const plainRules = (rules: NextTokenRules, prefixes?: ForcedPrefixes): TokenRules => ({
  write(inputs, { sources, rows }) {
    writeRules(inputs.rules as Int32Array, rules);
    inputs.penalty?.fill(rules.repetitionPenalty ?? 1);
    prefixes?.write(inputs.rules as Int32Array, sources, rows);
  },
});
