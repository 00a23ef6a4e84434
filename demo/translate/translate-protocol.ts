// Calls between the page Translate and its worker.

import type { Doubt, DoubtLimits, Range } from '../../src/decode/word-weights.ts';
import type { DecodeOptions } from '../../src/entries/heddle.ts';
import type { Attention } from '../../src/entries/reports.ts';

/** A sentence with its translation. */
export interface TranslatedSentence {
  readonly source: string;
  readonly target: string;
  /** White space between this sentence and the next. */
  readonly space: string;
  /** The words: what is between white space. */
  readonly sourceWords: readonly Range[];
  readonly targetWords: readonly Range[];
  /** Attention of the last layer between words, [target words][source words]; each row sums to 1 or less. */
  readonly weights: readonly (readonly number[])[];
  readonly doubts: readonly Doubt[];
  /** Attention between tokens, of all layers and heads. */
  readonly attention: Attention;
}

/** Why a text cannot be translated well. */
export type InputProblem =
  | { readonly kind: 'language'; readonly language: string }
  | { readonly kind: 'noise' | 'no-words' | 'unknown-words' };

/** How texts are translated. */
export type SentDecoding = Pick<
  DecodeOptions,
  'method' | 'beams' | 'lengthPenalty' | 'temperature' | 'topK' | 'topP' | 'seed'
>;

/** What is wrong with a text, if anything, and whether WebAssembly translated it. */
export interface TranslatedText {
  readonly problem: InputProblem | null;
  readonly isWasm: boolean;
}

/** The calls. `translate` sends each sentence as an event, and ends early if a later call begins. */
export interface Calls {
  /** Reads the list of words that the models know. */
  readWords(url: string): void;
  /** Loads a model, which replaces the one before; `limits`: when a word of it is doubtful. The last one goes on on the GPU, if there is one. */
  load(model: File, limits: DoubtLimits | undefined, isLast: boolean): void;
  translate(run: number, text: string, options: SentDecoding): TranslatedText;
  /** The word that a translation would have in place of a doubtful one; null if the model has no other. */
  secondChoice(source: string, target: string, word: number): string | null;
}

/** Events of the worker. */
export type WorkerEvent = {
  readonly type: 'sentence';
  readonly run: number;
  readonly index: number;
  readonly of: number;
  readonly sentence: TranslatedSentence;
};
