// What the inspection of a pair of texts returns, and its options.

import type { AttentionMap, GateMap, InspectedTensor } from './inspector.ts';
import type { Interventions } from './interventions.ts';
import type { ModelPart } from './model-parts.ts';
import type { LanguageOptions } from './text-options.ts';

/** Settings of `Model.inspect`. */
export interface InspectOptions extends Interventions, LanguageOptions {
  /**
   * Text, or ids without start and end token, that the decoder reads (teacher forcing). [the greedy
   * translation, under the interventions if there are any]
   */
  readonly target?: string | readonly number[];
  /** Whether to return scores and the tensors between the layers. [false] */
  readonly tensors?: boolean;
  /** Number of likely next tokens. [5] */
  readonly likely?: number;
  /**
   * Temperature of the probabilities of likely next tokens: logits are divided by it before the softmax. [1]
   */
  readonly temperature?: number;
  /** Whether to return what the output layer says to the residual stream after each layer. [false] */
  readonly lens?: boolean;
}

/** What the output layer says to the residual stream of the decoder at a part (logit lens, nostalgebraist, 2020). */
export interface LensLayer {
  /** `decoder.embedding`, or a layer: `decoder.1`. */
  readonly part: ModelPart;
  /** The most likely tokens after each target token, best first, if the model ended with this part. */
  readonly next: readonly (readonly LikelyToken[])[];
  /** Negative log-likelihood of the token that follows each target token: T values. */
  readonly loss: readonly number[];
}

/** A token and its label. */
export interface InspectedToken {
  /** Its id. */
  readonly id: number;
  /** Its text; one that begins a word has a mark before it. */
  readonly label: string;
  /** Whether its text begins with a space: it begins a word. */
  readonly spaced: boolean;
}

/** A likely next token. */
export interface LikelyToken extends InspectedToken {
  readonly probability: number;
  /** Its score before the temperature and the softmax. */
  readonly logit: number;
}

/** Results of a forward pass over one pair, with labels of the tokens. */
export interface Inspection {
  /** S source tokens, with the end token. */
  readonly source: readonly InspectedToken[];
  /** T tokens that the decoder reads: the start token and the target. */
  readonly target: readonly InspectedToken[];
  /** Text of the target. */
  readonly targetText: string;
  /** Self-attention of the encoder and of the decoder and cross-attention, each of all layers. */
  readonly attention: readonly AttentionMap[];
  /** Gates of the decoder's layers, if they are SSRUs, which have no self-attention; else empty. */
  readonly gates: readonly GateMap[];
  /** The most likely tokens after each of the target tokens, best first. */
  readonly next: readonly (readonly LikelyToken[])[];
  /**
   * Negative log-likelihood of the token that follows each target token, the end token after the last: T
   * values.
   */
  readonly loss: readonly number[];
  /** Tensors between the layers in the order in which they are computed, with `tensors`. */
  readonly tensors: readonly InspectedTensor[];
  /**
   * Position vectors [max(S, T), D] that the embedding of the encoder adds, with `tensors`: sines, or rows of
   * a learned table. Absent if the model has other positions.
   */
  readonly positions?: Float32Array;
  /** Whether `positions` are learned. */
  readonly learnedPositions?: boolean;
  /** The residual stream of the decoder through its last norm and the output layer, layer by layer, with `lens`. */
  readonly lens?: readonly LensLayer[];
}
