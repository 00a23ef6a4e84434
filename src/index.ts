// The public API of heddle: what a page or a Node program imports as 'heddle'. It reaches for neither Node nor the DOM.
// docs/training.md shows how a training is written with it.

export type { Alignment } from './decode/alignment.ts';
export type { Hypothesis } from './decode/hypotheses.ts';
export type { DecodeOptions, LengthPenalty } from './decode/options.ts';
export {
  createTranslator,
  type Piece,
  type TextModel,
  type Translation,
  type Translator,
  type TranslatorOptions,
} from './decode/translator.ts';
export { cpuEngine, type Engine, type GpuEngineOptions, gpuEngine, type Program } from './engine.ts';
export { check, type ErrorKind, HeddleError } from './errors.ts';
export { adapterFiles, loadAdapter, type SavedAdapter, withAdapter } from './formats/adapter.ts';
export type { Files } from './formats/files.ts';
export type { HfType } from './formats/hf/fields.ts';
export type { HfOrigin, WeightDtype } from './formats/hf/origin.ts';
export { hfParts } from './formats/hf/save.ts';
export { kerasParts } from './formats/keras.ts';
export { memoryFiles } from './formats/memory-files.ts';
export { loadModelFolder, type SavedModel, saveModelFolder } from './formats/model-folder.ts';
export { pytorchParts } from './formats/pytorch.ts';
export { readSafetensors, writeSafetensors } from './formats/safetensors.ts';
export { writeFolder } from './formats/write-folder.ts';
export { type AdapterReport, adapterName, type Device, type DeviceOptions, openDevice } from './gpu/device.ts';
export type { Outputs, RunnerOptions } from './gpu/runner.ts';
export { type Measured, type TuneOptions, tune } from './gpu/tuning.ts';
export { type Graph, printGraph } from './graph/graph.ts';
export { defaultHub, type Repository, repository } from './hub/names.ts';
export { type Pulled, type PullOptions, type PullProgress, pull } from './hub/pull.ts';
export type { Advice, Web } from './hub/request.ts';
export { type Best, type BestMetric, type BestOptions, type BestState, createBest } from './jobs/best.ts';
export { createDevSet, type DevSet } from './jobs/dev-set.ts';
export { type BleuOptions, type BleuScore, corpusBleu, type Smoothing, sentenceBleu } from './metrics/bleu.ts';
export { type ChrfOptions, type ChrfScore, corpusChrf, sentenceChrf } from './metrics/chrf.ts';
export { exactMatch } from './metrics/exact-match.ts';
export type { References } from './metrics/references.ts';
export { addSums, type TokenMetrics, type TokenSums, tokenMetrics } from './metrics/tokens.ts';
export { type TranslationMetrics, translationMetrics } from './metrics/translation.ts';
export { adapterParameters, type LoraConfig, loraConfig, mergeAdapter } from './model/adapter.ts';
export {
  type DropoutRates,
  type ModelConfig,
  type ModelOptions,
  modelConfig,
  type PresetName,
  presets,
} from './model/config.ts';
export type { WeightFormat } from './model/packed.ts';
export {
  type Init,
  type InitScheme,
  initialWeights,
  type Parameter,
  type ParameterList,
  parameterList,
} from './model/parameters.ts';
export type { DeviceTraits, Node, Value } from './ops/op.ts';
export { type Pass, type Placed, type Plan, type PlanBuffer, printPlan, type Range } from './plan/plan.ts';
export { type Choices, makePlan, type PlanOptions } from './plan/planner.ts';
export { reportName, trainingReport } from './report/html.ts';
export {
  type CorpusFacts,
  type Course,
  courseOf,
  formatLog,
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
} from './report/log.ts';
export type { DType, Shape, Tensor, TensorData, TensorType } from './tensor.ts';
export type { BatchArrays, Batches } from './text/batches.ts';
export type { BatchShape, Bucket } from './text/buckets.ts';
export type { EncodedCorpus, Rows } from './text/encoded.ts';
export { type IntlKind, type IntlOptions, type IntlPair, intlCorpus } from './text/intl.ts';
export { loadTokenizer } from './text/load-tokenizer.ts';
export { type Pair, type Split, splitPairs } from './text/pairs.ts';
export { createPieceTokenizer, type PieceTokenizerParts } from './text/piece-tokenizer.ts';
export type { SpecialIds, Tokenizer, TokenizerJson, TokenizerKind } from './text/tokenizer.ts';
export { type BadLine, readTsv, type TsvCorpus } from './text/tsv.ts';
export {
  checkpointFiles,
  checkpointNames,
  readTrainingState,
  restoreOptimizer,
  type TrainingState,
} from './train/checkpoint.ts';
export { evaluationGraph, type GraphOptions, trainingGraph } from './train/graphs.ts';
export { type LearnOptions, type LearnRecipe, learn } from './train/learn.ts';
export { type OptimizerConfig, optimizerConfig } from './train/optimizer.ts';
export { type Precision, scaling } from './train/precision.ts';
export { learningRate, type ScheduleConfig, scheduleConfig, scheduleNames } from './train/schedule.ts';
export { type KnownModel, prepareTask, type Task, type TaskOptions, updatesIn } from './train/task.ts';
export {
  type Batch,
  createTrainer,
  type EvaluationSums,
  type Recipe,
  type StepReport,
  startWeights,
  type Trainer,
  type TrainerOptions,
} from './train/trainer.ts';
export type { Run, Tuned, TuningOptions } from './train/tuned.ts';
