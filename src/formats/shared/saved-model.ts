// A model as it is saved and loaded: configuration, tokenizers, weights, decoding rules and the checkpoint it was read from.

import type { TextModel } from '../../decode/translator.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import type { HfOrigin } from './hf-source.ts';

/** A model with all that text to text needs. */
export interface SavedModel {
  readonly config: ModelConfig;
  readonly source: Tokenizer;
  /** The same object as `source` where both sides share one. */
  readonly target: Tokenizer;
  /** The bank of all weights, laid out as `parameterList(config)` says. */
  readonly weights: Float32Array;
  /** Rules of decoding that the model was trained for. */
  readonly decode?: NonNullable<TextModel['decode']>;
  /** Where it came from, if not from this engine. */
  readonly origin?: HfOrigin;
  /** What a user should know of what was read. */
  readonly notes?: readonly string[];
}
