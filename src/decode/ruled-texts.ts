// Texts with rules of their own, which the host applies to each token of a search: the phrases and placeholders that a
// translation must have. A guest brings the search; texts without such rules are decoded as usual.

import type { Engine } from '../engine/engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import type { DecodeSettings } from './decode-options.ts';
import type { DecodeMode } from './decoding-graphs.ts';
import type { TranslatorShape } from './source-texts.ts';
import type { GenerateOptions, Generation, Translation } from './text-options.ts';

/** What decoding texts with rules of their own needs of a translator. */
export interface RuledDecoding {
  readonly engine: Engine;
  readonly config: ModelConfig;
  readonly parameters: ParameterList;
  readonly source: Tokenizer;
  readonly target: Tokenizer;
  readonly shape: TranslatorShape;
  readonly settings: DecodeSettings;
  /** Mode of the step graph for these settings. */
  readonly mode: DecodeMode;
  upload(peak: number): void | Promise<void>;
  /** A translation of a text with its cross-attention. `ids`: those of the text. */
  align(ids: readonly number[], translation: Translation): Promise<Generation>;
}

/** The texts of a call that are decoded, and what their translations must have. */
export interface RuledTexts extends Pick<GenerateOptions, 'phrases' | 'placeholders'> {
  /** All texts of the call. */
  readonly texts: readonly string[];
  /** Indices of those that are decoded, and their ids. */
  readonly full: readonly number[];
  readonly ids: readonly number[][];
}

/**
 * Decodes texts with rules of their own, which the host applies to each token: the options `phrases` and
 * `placeholders`. Texts without such rules are decoded by `plain`. Translations are in the order of `ids`.
 */
export type DecodeRuledTexts = (
  context: RuledDecoding,
  texts: RuledTexts,
  plain: (sources: readonly number[][]) => Promise<Translation[][]>,
) => Promise<Translation[][]>;
