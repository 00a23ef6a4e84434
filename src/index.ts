// The library: what a page or a Node program imports as 'heddle'. It imports neither Node nor the DOM.
// docs/getting-started.md shows its use; 'heddle/engine' is the level below.

// Models.
export type {
  CreateTranslatorOptions,
  HeddleTranslator,
  TranslatorAvailability,
  TranslatorCallOptions,
  TranslatorLanguages,
} from './api/create-translator.ts';
export type { PlanShape } from './api/decoding-plan.ts';
export type { EvaluateOptions, Evaluation, PairScore } from './api/evaluate-model.ts';
export type { GivenPairs, GivenSettings } from './api/given-inputs.ts';
export { isSupported, type MissingPart, type Support } from './api/is-supported.ts';
export type { LoadOptions } from './api/load-options.ts';
export type { Model, ModelLanguages } from './api/model.ts';
export { type ModelFacts, packModel } from './api/model-files.ts';
export type { MemoryOffer, PlanTrainingOptions, TrainingForecast } from './api/plan-training.ts';
export type { ReadPairsOptions } from './api/read-pairs.ts';
export type { DownloadOptions, PullOptions } from './api/remote-models.ts';
export { trainingReport } from './api/report-of-log.ts';
export type { SaveOptions } from './api/save-model.ts';
export { type Checkpoint, readCheckpoint, readTrainingLog } from './api/saved-training.ts';
export type { RunningModel, TrainData, TrainGate, TrainOptions } from './api/train.ts';
export { type ErrorKind, errorKind, HeddleError } from './core/errors.ts';
export type { FieldType, OptionField, ValueOf } from './core/fields.ts';
export type { GpuHost } from './core/host-name.ts';
export type { DType, Shape, Tensor, TensorData } from './core/tensor.ts';
export type { Attention } from './decode/alignment.ts';
export type { DecodeOptions, LengthPenalty, ModelRules } from './decode/decode-options.ts';
export type { Hypothesis } from './decode/hypotheses.ts';
export type {
  InspectedToken,
  Inspection,
  InspectOptions,
  LikelyToken,
} from './decode/inspection.ts';
export type { AttentionKind, AttentionMap, GateMap, InspectedTensor } from './decode/inspector.ts';
export type {
  GenerateOptions,
  Generation,
  LanguageOptions,
  LongText,
  StreamedToken,
  TranslateOptions,
  Translation,
} from './decode/text-options.ts';
export type { Device } from './engine/gpu/device.ts';
export type { CorpusMixture, StageFiles, WeightedFiles } from './features/corpora/corpus-stages.ts';
export type { OnnxRuntime, OnnxSession, OnnxTensor } from './features/onnx/engine/onnx-runtime.ts';
export type { Sound } from './features/speech/audio/wav.ts';
export type { SpeechSegment } from './features/speech/decode/speech-text.ts';
export type {
  SpeechAttention,
  TranscribeOptions,
  Transcription,
} from './features/speech/decode/transcribe-options.ts';
export type { ImagePixels } from './features/speech/line-pixels.ts';
export type { ImageInput, ReadOptions } from './features/speech/read-image.ts';
export type { Clip } from './features/speech/speech-clips.ts';
export type { SpeechInput, SpeechStream } from './features/speech/transcribe-speech.ts';
export type { BrowserFiles } from './files/browser-files.ts';
export type { Files } from './files/files.ts';
export type { FileSource, FolderSource } from './files/given-files.ts';
export type { ErrorHints } from './files/hub/http.ts';
export type { PulledModel, PullProgress } from './files/hub/pull-model.ts';
export { memoryFiles } from './files/memory-files.ts';
export { importModel, pullModel, readModelFacts, readPairs } from './files-with-features.ts';
export { loadModel } from './load-with-features.ts';
export type { LoraConfig } from './model/lora.ts';
export type { DropoutRates, ModelConfig, ModelOptions } from './model/model-config.ts';
export { type PresetName, presets } from './model/presets.ts';
export type { WeightFormat } from './model/quantized-parameters.ts';
export { planTraining } from './plan-with-features.ts';
export { type Host, type ModelPlace, openBrowserFiles, registerHost } from './session/host.ts';
export { fewerLaunches } from './session/launch-code.ts';
export type { SessionOptions } from './session/session.ts';
export type { DeviceName, GivenDevice } from './session/session-device.ts';
export type { SessionEvent } from './session/session-event.ts';
export type { BadLine, PairFiles, PairFormat } from './text/corpus/pair-files.ts';
// Pairs and tokenizers.
export { type HeldOut, type Pair, type Split, splitPairs } from './text/corpus/pairs.ts';
export { readTsv, type TsvCorpus } from './text/corpus/tsv.ts';
export { type IntlKind, type IntlOptions, type IntlPair, intlCorpus } from './text/intl/intl-corpus.ts';
// Metrics.
export {
  type BleuOptions,
  type BleuScore,
  corpusBleu,
  type Smoothing,
  sentenceBleu,
} from './text/metrics/bleu.ts';
export { type ChrfOptions, type ChrfScore, corpusChrf, sentenceChrf } from './text/metrics/chrf.ts';
export type { References } from './text/metrics/ngrams.ts';
export {
  exactMatch,
  type TokenMetrics,
  type TranslationMetrics,
  translationMetrics,
} from './text/metrics/translation-metrics.ts';
export { characterErrorRate, type ErrorRate, wordErrorRate } from './text/metrics/word-errors.ts';
export {
  type TaskName,
  type TaskOptions,
  taskCorpus,
  taskNames,
} from './text/tasks/task-corpus.ts';
export type { TextThread, TextThreads } from './text/text-pool.ts';
export type {
  AddedToken,
  SpecialIds,
  Tokenizer,
  TokenizerJson,
  TokenizerKind,
} from './text/tokenizers/tokenizer.ts';
export type { CorpusArguments, CorpusFiles } from './train/data/load-corpus.ts';
export type { LiveSettings } from './train/report/run-changes.ts';
export type { JobEvent, TrainingEvent } from './train/report/training-events.ts';
// Training logs and reports.
export {
  type BestMetric,
  type CorpusFacts,
  historyOf,
  type LogChange,
  type LogEnd,
  type LogEval,
  type LogProbe,
  type LogRecord,
  type LogSamples,
  type LogStage,
  type LogStart,
  type LogStep,
  type PlanFacts,
  parseLog,
  type Sample,
  type TrainingHistory,
} from './train/report/training-log.ts';
export type { BestState } from './train/run/best-model.ts';
export type { ErrorRates } from './train/run/evaluation.ts';
export type { TrainResult } from './train/run/train-result.ts';
// Settings of a training run.
export type { Setting } from './train/settings/setting-types.ts';
export type { Table } from './train/settings/settings.ts';
export { type SettingName, settings } from './train/settings/settings.ts';
export type { LoraSettings } from './train/settings/train-setting-types.ts';
export {
  type SettingsWithDefaults,
  settingRows,
  type TrainSettings,
} from './train/settings/train-settings.ts';
export { train } from './train-with-features.ts';
export { createTranslator, translators } from './translate-with-features.ts';
