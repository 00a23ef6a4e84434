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
export { evaluationReport } from './commands/evaluation-report.ts';
export { type SystemScores, scoreSystems, type TranslationReport } from './commands/jobs/evaluate-job.ts';
export {
  type RunSummary,
  runMetrics,
  settingText,
  summarizeRuns,
  unlikeLosses,
} from './commands/jobs/runs-job.ts';
export { escapeControls, messageOf } from './core/errors.ts';
export { describeType, fitsType } from './core/fields.ts';
export { documentFormatOf, openDocument } from './features/documents/document-formats.ts';
export { DocumentReview } from './features/documents/document-review.ts';
export { withoutPlaceholders } from './features/documents/inline/placeholders.ts';
export { memoryPairs } from './features/documents/memory-pairs.ts';
export { translateDocument } from './features/documents/translate-document.ts';
export { TranslationMemory } from './features/documents/translation-memory.ts';
export { features } from './features/features.ts';
export {
  LanguageFlow,
  type LanguagePlan,
  type LanguageState,
  type LanguageStepName,
  languageConfigFile,
  languageStepNames,
} from './features/marian/commands/language-flow.ts';
export { LogMel, LogMelStream } from './features/speech/audio/log-mel.ts';
export { Resampler } from './features/speech/audio/resample.ts';
export { writeWav } from './features/speech/audio/wav.ts';
export { drawLine, lineFrames, patchWidth } from './features/speech/line-image.ts';
export { samplesOf as readSpeech } from './features/speech/transcribe-speech.ts';
export { appendFile, openBlob } from './files/files.ts';
export { copyFolder } from './files/owned-folder.ts';
export { unzip, zipParts } from './files/zip.ts';
export { corpusToTsv } from './text/corpus/tsv.ts';
export { type MemoryPair, writeTmx } from './text/corpus/write-tmx.ts';
export { type TextSegment, wordDifferences } from './text/metrics/word-differences.ts';
export { splitSentences } from './text/sentences.ts';
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
