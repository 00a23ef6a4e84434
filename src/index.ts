// The public API of heddle: what a page or a Node program imports as 'heddle'. It reaches for neither Node nor the DOM.
// docs/training.md shows how a training is written with it.

export type { EvaluateOptions, Evaluation } from './api/evaluate-model.ts';
export { type LoadOptions, loadModel } from './api/load-model.ts';
export type { Attention, GenerateOptions, Generation, Model, PlanShape, TranslateOptions } from './api/model.ts';
export type { ModelFormat, SaveOptions } from './api/save-model.ts';
export type { SessionOptions } from './api/session.ts';
export { type TrainEvent, type TrainOptions, train } from './api/train.ts';
export { check, type ErrorKind, HeddleError } from './core/errors.ts';
export type { DType, Shape, Tensor, TensorData, TensorType } from './core/tensor.ts';
export type { Alignment } from './decode/alignment.ts';
export type { DecodeOptions, LengthPenalty } from './decode/decode-options.ts';
export type { Hypothesis } from './decode/hypotheses.ts';
export {
  createTranslator,
  type StreamedToken,
  type TextModel,
  type Translation,
  type Translator,
  type TranslatorOptions,
} from './decode/translator.ts';
export { cpuEngine, type Engine, type GpuEngineOptions, gpuEngine, type Program } from './engine/engine.ts';
export type { Files } from './files/files.ts';
export { writeFolder } from './files/files.ts';
export { memoryFiles } from './files/memory-files.ts';
export { readSafetensors, writeSafetensors } from './files/safetensors.ts';
export type { HfType } from './formats/hf/hf-fields.ts';
export { hfFiles } from './formats/hf/save-hf.ts';
export { kerasFiles } from './formats/keras.ts';
export { loadLora, loraFiles, type SavedLora, withLora } from './formats/lora-folder.ts';
export { loadModelFolder, saveModelFolder } from './formats/model-folder.ts';
export { pytorchFiles } from './formats/pytorch.ts';
export type { SavedModel, SourceCheckpoint, WeightDtype } from './formats/shared/saved-model.ts';
export { type KernelTiming, type TuneKernelsOptions, tuneKernels } from './gpu/auto-tuning.ts';
export { type AdapterInfo, adapterName, type Device, type DeviceOptions, openDevice } from './gpu/device.ts';
export type { Outputs, RunnerOptions } from './gpu/runner.ts';
export { type Graph, printGraph } from './graph/graph.ts';
export type { ErrorHints, HttpOptions } from './hub/http.ts';
export { type PulledModel, type PullOptions, type PullProgress, pull } from './hub/pull-model.ts';
export { defaultHub, type Repository, repository } from './hub/repository.ts';
export { type BleuOptions, type BleuScore, corpusBleu, type Smoothing, sentenceBleu } from './metrics/bleu.ts';
export { type ChrfOptions, type ChrfScore, corpusChrf, sentenceChrf } from './metrics/chrf.ts';
export type { References } from './metrics/ngrams.ts';
export {
  addSums,
  exactMatch,
  type TokenMetrics,
  type TokenSums,
  type TranslationMetrics,
  tokenMetrics,
  translationMetrics,
} from './metrics/translation-metrics.ts';
export { type LoraConfig, loraConfig, loraParameters, mergeLora } from './model/lora.ts';
export {
  type DropoutRates,
  type ModelConfig,
  type ModelOptions,
  modelConfig,
  type PresetName,
  presets,
} from './model/model-config.ts';
export type { Init, Parameter, ParameterList } from './model/parameter-layout.ts';
export { type InitScheme, initializeWeights, parameterList } from './model/parameters.ts';
export type { WeightFormat } from './model/quantized-parameters.ts';
export type { DeviceTraits, Node, Value } from './ops/op.ts';
export type { KernelChoices } from './plan/kernel-choices.ts';
export { type Pass, type Placement, type Plan, type PlanBuffer, printPlan, type Range } from './plan/plan.ts';
export { makePlan, type PlanOptions } from './plan/planner.ts';
export {
  type CorpusFacts,
  formatLog,
  historyOf,
  type LogEnd,
  type LogEval,
  type LogRecord,
  type LogSamples,
  type LogStart,
  type LogStep,
  logName,
  type PlanFacts,
  parseLog,
  type Sample,
  type TrainingHistory,
} from './report/training-log.ts';
export { reportName, trainingReport } from './report/training-report.ts';
export type { BatchArrays, Batches } from './text/batches/batches.ts';
export type { BatchShape, Bucket } from './text/batches/buckets.ts';
export type { EncodedCorpus, RaggedRows } from './text/batches/encoded-corpus.ts';
export { type Pair, type Split, splitPairs } from './text/corpus/pairs.ts';
export { type BadLine, readTsv, type TsvCorpus } from './text/corpus/tsv.ts';
export type { IntlKind } from './text/intl/intl-corpus.ts';
export { type IntlOptions, type IntlPair, intlCorpus } from './text/intl/intl-corpus.ts';
export { loadTokenizer } from './text/load-tokenizer.ts';
export {
  createSentencePieceTokenizer,
  type SentencePieceTokenizerOptions,
} from './text/sentencepiece/sentencepiece-tokenizer.ts';
export type { SpecialIds, Tokenizer, TokenizerJson, TokenizerKind } from './text/tokenizers/tokenizer.ts';
export { createDevSet, type DevSet } from './train/evaluation.ts';
export {
  type BestMetric,
  type BestModel,
  type BestOptions,
  type BestState,
  createBestModel,
} from './train/selection.ts';
export { type LearnOptions, type LearnRecipe, learn } from './trainer/learn.ts';
export { type OptimizerConfig, optimizerConfig } from './trainer/optimizer-config.ts';
export { type Precision, scaling } from './trainer/precision.ts';
export { learningRate, type ScheduleConfig, scheduleConfig, scheduleNames } from './trainer/schedule.ts';
export type { Run, TrainableOptions, TrainableParameters } from './trainer/trainable-parameters.ts';
export {
  type Batch,
  createTrainer,
  type EvaluationSums,
  initializeTraining,
  type Recipe,
  type StepReport,
  type Trainer,
  type TrainerOptions,
} from './trainer/trainer.ts';
export {
  type KnownModel,
  prepareTrainingData,
  type TrainingData,
  type TrainingDataOptions,
  updatesIn,
} from './trainer/training-data.ts';
export { evaluationGraph, type GraphOptions, trainingGraph } from './trainer/training-graphs.ts';
export {
  checkpointFiles,
  checkpointNames,
  readTrainingState,
  restoreOptimizer,
  type TrainingState,
} from './trainer/training-state.ts';
