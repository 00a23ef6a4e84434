/**
 * The entry 'heddle': translating texts and training models on pairs. docs/api.md says when to use each name. It imports
 * neither Node nor the DOM; heddle.node.ts and heddle.deno.ts are the same with a host.
 *
 * @module heddle
 */

export type {
  CreateTranslatorOptions,
  HeddleTranslator,
  TranslatorAvailability,
  TranslatorLanguages,
} from '../api/create-translator.ts';
export type { EvaluateOptions, Evaluation, PairScore } from '../api/evaluate-model.ts';
export type { GivenSettings } from '../api/given-inputs.ts';
export type { PullOptions } from '../api/hub-models.ts';
export { isSupported, type Support } from '../api/is-supported.ts';
export type { LoadOptions } from '../api/load-options.ts';
export type { MemoryOffer } from '../api/memory-offers.ts';
export type { Model, ModelLanguages } from '../api/model.ts';
export type { TrainingForecast } from '../api/plan-training.ts';
export type { SaveOptions } from '../api/save-model.ts';
export { type Checkpoint, readCheckpoint } from '../api/saved-training.ts';
export type { RunningModel, TrainData, TrainGate } from '../api/train-options.ts';
export { type ErrorKind, errorKind, HeddleError } from '../core/errors.ts';

export type { DecodeOptions } from '../decode/decode-options.ts';
export type { Hypothesis } from '../decode/hypotheses.ts';
export type {
  GenerateOptions,
  Generation,
  LanguageOptions,
  PlacedPhrase,
  StreamedToken,
  TranslateOptions,
  Translation,
} from '../decode/text-options.ts';
export type { GuestOptions } from '../features/guest-types.ts';
export type { PulledModel } from '../files/hub/pull-model.ts';
export type { LoraConfig } from '../model/lora.ts';
export type { DropoutRates, ModelConfig, ModelOptions } from '../model/model-config.ts';
export { type PresetName, presets } from '../model/presets.ts';
export type { WeightFormat } from '../model/quantized-parameters.ts';
export type { Pair } from '../text/corpus/pairs.ts';
export type { LiveSettings } from '../train/report/run-changes.ts';
export type { JobEvent } from '../train/report/training-events.ts';
export type { TrainResult } from '../train/run/train-result.ts';
export type { LoraSettings } from '../train/settings/train-setting-types.ts';
export type { TrainSettings } from '../train/settings/train-settings.ts';
export { pullModel } from './files-with-features.ts';
export { loadModel } from './load-with-features.ts';
export { type PlanTrainingOptions, planTraining } from './plan-with-features.ts';
export { type GivenPairs, type TrainOptions, train } from './train-with-features.ts';
export { createTranslator, translators } from './translate-with-features.ts';
