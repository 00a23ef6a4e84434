// What the pages of demo/ share with the command line and the library's own tables, beside 'heddle'. Not an
// entry of the package.

export {
  HandTraining,
  type HandUpdate,
  type PairState,
  type WeightPlace,
} from './api/hand-training.ts';
export { platformBudget } from './api/memory-needs.ts';
export { takeAway } from './api/model-programs.ts';
export { type PreviewedBatch, previewBatches } from './api/preview-batches.ts';
export { samplesOf as readSpeech } from './api/transcribe-speech.ts';
export { LogMel, LogMelStream } from './audio/log-mel.ts';
export { Resampler } from './audio/resample.ts';
export { writeWav } from './audio/wav.ts';
export { evaluationReport } from './commands/evaluation-report.ts';
export { type SystemScores, scoreSystems, type TranslationReport } from './commands/jobs/evaluate-job.ts';
export {
  type RunSummary,
  runMetrics,
  settingText,
  summarizeRuns,
  unlikeLosses,
} from './commands/jobs/runs-job.ts';
export {
  LanguageFlow,
  type LanguagePlan,
  type LanguageState,
  type LanguageStepName,
  languageConfigFile,
  languageStepNames,
} from './commands/language/language-flow.ts';
export { escapeControls, messageOf } from './core/errors.ts';
export { describeType, fitsType } from './core/fields.ts';
export { documentFormatOf, openDocument } from './documents/document-formats.ts';
export { DocumentReview } from './documents/document-review.ts';
export { memoryPairs } from './documents/memory-pairs.ts';
export { translateDocument } from './documents/translate-document.ts';
export { TranslationMemory } from './documents/translation-memory.ts';
export { appendFile, openBlob } from './files/files.ts';
export { copyFolder } from './files/owned-folder.ts';
export { unzip, zipParts } from './files/zip.ts';
export { corpusToTsv } from './text/corpus/tsv.ts';
export { type MemoryPair, writeTmx } from './text/corpus/write-tmx.ts';
export { withoutPlaceholders } from './text/inline/placeholders.ts';
export { type TextSegment, wordDifferences } from './text/metrics/word-differences.ts';
export { splitSentences } from './text/sentences.ts';
export { drawLine, lineFrames, patchWidth } from './text/tasks/line-image.ts';
export { taskSizes } from './text/tasks/task-corpus.ts';
export { type TextRange, unknownWords } from './text/tokenizers/unknown-words.ts';
export {
  describeChanges,
  formatChanges,
  liveSettingLabels,
  parseChanges,
  type RunChange,
} from './train/report/run-changes.ts';
export {
  type CompleteSettings,
  completeSettings,
  type KindSetting,
  runKindOf,
} from './train/settings/run-defaults.ts';
