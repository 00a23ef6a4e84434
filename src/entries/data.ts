/**
 * The entry 'heddle/data': pairs of texts and tokenizers. Readers of files of pairs, splits, built-in corpora, and the
 * pieces of texts.
 *
 * @module heddle/data
 */

export type { ReadPairsOptions } from '../api/read-pairs.ts';
export {
  type CleanedPairs,
  type CleanPairsOptions,
  cleanPairs,
  type DroppedPair,
} from '../features/corpora/clean/clean-pairs.ts';
export type { CleanLanguages, CleanLimits, RuleName } from '../features/corpora/clean/clean-rules.ts';
export type { CorpusMixture, StageFiles, WeightedFiles } from '../features/corpora/corpus-stages.ts';
export { pairFormatLabels } from '../features/pair-format-labels.ts';
export type { ByteStream, PairBlockOptions } from '../text/corpus/pair-blocks.ts';
export type { CorpusFiles, PairFiles, PairFormat } from '../text/corpus/pair-files.ts';
export type { BadLine } from '../text/corpus/pair-records.ts';
export { type HeldOut, type Split, splitPairs } from '../text/corpus/pairs.ts';
export { readTsv, type TsvCorpus } from '../text/corpus/tsv.ts';
export { type IntlKind, type IntlOptions, type IntlPair, intlCorpus } from '../text/intl/intl-corpus.ts';
export type { DetectedLanguage, LanguageGuesses } from '../text/language-guesses.ts';
export { splitSentences } from '../text/sentences.ts';
export {
  type TaskName,
  type TaskOptions,
  taskCorpus,
  taskNames,
  taskSizes,
} from '../text/tasks/task-corpus.ts';
export type {
  AddedToken,
  SpecialIds,
  Tokenizer,
  TokenizerJson,
  TokenizerKind,
} from '../text/tokenizers/tokenizer.ts';
export { type TextRange, unknownWords } from '../text/tokenizers/unknown-words.ts';
export type { CorpusArguments } from '../train/data/corpus-arguments.ts';
export { corpusToTsv, readPairs } from './files-with-features.ts';
