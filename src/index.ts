// The public API of heddle: what a page or a Node program imports as 'heddle'. It reaches for neither Node nor the DOM.

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
export { cpuEngine, type Engine, gpuEngine, type Program } from './engine.ts';
export { check, HeddleError } from './errors.ts';
export { adapterFiles, loadAdapter, type SavedAdapter, withAdapter } from './formats/adapter.ts';
export type { Files } from './formats/files.ts';
export { hfParts } from './formats/hf/save.ts';
export { kerasParts } from './formats/keras.ts';
export { loadModelFolder, type SavedModel, saveModelFolder } from './formats/model-folder.ts';
export { pytorchParts } from './formats/pytorch.ts';
export { readSafetensors, writeSafetensors } from './formats/safetensors.ts';
export { writeFolder } from './formats/write-folder.ts';
export { adapterName, type Device, openDevice } from './gpu/device.ts';
export { tune } from './gpu/tuning.ts';
export { gradients } from './graph/gradient.ts';
export { Graph, printGraph } from './graph/graph.ts';
export { defaultHub, type Repository, repository } from './hub/names.ts';
export { type Pulled, type PullProgress, pull } from './hub/pull.ts';
export type { Web } from './hub/request.ts';
export { corpusBleu, sentenceBleu } from './metrics/bleu.ts';
export { corpusChrf, sentenceChrf } from './metrics/chrf.ts';
export { exactMatch } from './metrics/exact-match.ts';
export { adapterParameters, type LoraConfig, loraConfig, mergeAdapter } from './model/adapter.ts';
export { type DropoutRates, type ModelConfig, type ModelOptions, modelConfig, presets } from './model/config.ts';
export type { WeightFormat } from './model/packed.ts';
export { initialWeights, type ParameterList, parameterList } from './model/parameters.ts';
export { defineOp, type Op, type Value } from './ops/op.ts';
export { type Plan, printPlan } from './plan/plan.ts';
export { makePlan } from './plan/planner.ts';
export type { Tensor } from './tensor.ts';
export { type IntlOptions, intlCorpus } from './text/intl.ts';
export { loadTokenizer } from './text/load-tokenizer.ts';
export { type Pair, splitPairs } from './text/pairs.ts';
export { createPieceTokenizer, type PieceTokenizerParts } from './text/piece-tokenizer.ts';
export type { Tokenizer } from './text/tokenizer.ts';
export { readTsv } from './text/tsv.ts';
export { evaluationGraph, trainingGraph } from './train/graphs.ts';
export { type LearnOptions, learn } from './train/learn.ts';
export { type OptimizerConfig, optimizerConfig } from './train/optimizer.ts';
export { learningRate, type ScheduleConfig, scheduleConfig, scheduleNames } from './train/schedule.ts';
export { prepareTask, type Task, type TaskOptions } from './train/task.ts';
export { createTrainer, type StepReport, startWeights, type Trainer } from './train/trainer.ts';
export type { TuningOptions } from './train/tuned.ts';
