// What a speech model says of itself: its audio features, the tokens of its prompts, and its decoding rules.

import type { TextModel } from '../../../decode/translator.ts';
import type { SourceFacts } from '../../../model/source-kind.ts';

/** Facts of a speech model such as Whisper, beside its configuration. */
export interface SpeechFacts extends SourceFacts {
  readonly kind: 'speech';
  /** Samples of a window, 16000 a second. */
  readonly windowSamples: number;
  /** Whether silence fills a window after a shorter recording; else the encoder reads only the recording. */
  readonly fillsWindow: boolean;
  /** Ids below this one are text, the others special tokens and stamps; undefined if the tokenizer knows them. */
  readonly textEnd?: number;
  /** Whether prompts name language and task. */
  readonly multilingual: boolean;
  /** Token of each language by code, `en`; empty without languages. */
  readonly languages: ReadonlyMap<string, number>;
  /** Tokens of the tasks. */
  readonly tasks: { readonly transcribe?: number; readonly translate?: number };
  /** Token of text without time stamps; the stamps follow it, one every 0.02 s. */
  readonly noTimestamps?: number;
  /** Token before the previous text in a prompt. */
  readonly previous?: number;
  /** Token whose probability after the start token says that there is no speech. */
  readonly noSpeech?: number;
  /** Tokens that are never generated, and those that are not the first one. */
  readonly suppress: readonly number[];
  readonly suppressFirst: readonly number[];
  /** Maximum index of the first time stamp. Default: any. */
  readonly maxInitialTimestamp?: number;
  /** Code of the language and task that generation_config.json states. Default: none. */
  readonly language?: string;
  readonly task?: 'transcribe' | 'translate';
  /**
   * Tokens of the prompt after the start token that the files force, such as a language. They do not count if the files
   * or a call state a language or a task.
   */
  readonly forced: readonly number[];
  /** Whether texts have time stamps if the caller does not say. */
  readonly timestamps: boolean;
  /** Maximum number of tokens, those of the prompt included. */
  readonly maxTokens: number;
}

/** The facts of speech in the files of a model; undefined if there are none. */
export function speechFactsOf({
  sourceFacts: facts,
}: Pick<TextModel, 'sourceFacts'>): SpeechFacts | undefined {
  return facts?.kind === 'speech' ? (facts as SpeechFacts) : undefined;
}

/** Seconds between two time stamps. */
export const stampSeconds = 0.02;

/** First time stamp; undefined if the model has none. */
export const firstStampOf = ({ noTimestamps }: SpeechFacts): number | undefined =>
  noTimestamps === undefined ? undefined : noTimestamps + 1;
