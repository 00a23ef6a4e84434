// Defaults of settings that depend on the kind of training run: on the built-in corpus, a built-in task or the
// user's pairs, the Keras example, or fine-tuning.

import { check } from '../../core/errors.ts';
import type { OptionField } from '../../core/fields.ts';
import { msg, option } from '../../core/message.ts';
import { initSchemes } from '../../model/initialize-weights.ts';
import type { DropoutRates, ModelOptions } from '../../model/model-config.ts';
import { usualDropout } from '../../model/model-fields.ts';
import { exportedModels, type PresetName, presets } from '../../model/presets.ts';
import type { OptimizerName } from '../update/optimizer-config.ts';
import {
  type SettingsWithDefaults,
  type SettingTable,
  settingOf,
  type TrainSettings,
} from './train-settings.ts';

/** Settings that have a default for every kind of run. */
export type KindSetting = 'preset' | 'tokenizer' | 'optimizer' | 'learningRate' | 'schedule' | 'evalSteps';

type Defaults = TrainSettings & Required<Pick<TrainSettings, KindSetting>>;

/** The defaults for the built-in corpus. */
const intl = {
  preset: 'tiny',
  norm: 'pre',
  tokenizer: 'word',
  vocabSize: 4000,
  batchSize: 64,
  optimizer: 'adamw',
  learningRate: 3e-3,
  schedule: 'linear',
  steps: 800,
  evalSteps: 200,
} as const;

const runDefaults = {
  intl,
  task: { ...intl, tokenizer: 'char' },
  images: { ...intl, preset: 'line-tiny', tokenizer: 'char', steps: 3000, evalSteps: 500 },
  // Without vocabSize: it depends on the number of pairs (vocabularySizes).
  pairs: {
    preset: 'small',
    tokenizer: 'unigram',
    batchSize: 64,
    optimizer: 'adamw',
    learningRate: 1e-3,
    schedule: 'inverse-sqrt',
    dropout: 0.1,
    epochs: 10,
    evalSteps: 500,
  },
  // The published example: vocabularies of 15,000 words, RMSprop at Keras's default rate, no clipping.
  // Dropout comes from the preset.
  keras: {
    preset: 'keras',
    tokenizer: 'word',
    vocabSize: 15_000,
    fillVocab: true,
    lowercase: true,
    batchSize: 64,
    optimizer: 'rmsprop',
    learningRate: 1e-3,
    schedule: 'constant',
    clipNorm: 0,
    epochs: 30,
    evalSteps: 500,
  },
  // Clips of speech and their texts.
  frames: {
    preset: 'speech-tiny',
    norm: 'pre',
    tokenizer: 'char',
    vocabSize: 4000,
    batchSize: 32,
    optimizer: 'adamw',
    learningRate: 1e-3,
    schedule: 'linear',
    dropout: 0.1,
    epochs: 30,
    evalSteps: 500,
  },
  // A fifth of the learning rate for pairs, so that the model forgets little. Preset and tokenizer are the
  // model's.
  fineTune: {
    preset: 'small',
    tokenizer: 'bpe',
    vocabSize: 8000,
    batchSize: 64,
    optimizer: 'adamw',
    learningRate: 2e-4,
    schedule: 'constant',
    epochs: 3,
    evalSteps: 500,
  },
} as const satisfies Record<string, Defaults>;

/**
 * Batches for a LoRA adapter over quantized weights: few tokens, to save memory. Two of them are about as
 * large as a usual batch.
 */
const packedBatches = { batchSize: undefined, maxTokens: 512, gradientAccumulationSteps: 2 } as const;

/** Whether a run trains a LoRA adapter over quantized weights, and its settings have no batch size. */
export const hasPackedBatches = ({ lora, weights = 'f32', batchSize, maxTokens }: TrainSettings): boolean =>
  lora !== undefined && weights !== 'f32' && (batchSize ?? maxTokens) === undefined;

/** The batches of a run, if its settings do not say otherwise. */
const batchesOf = (given: TrainSettings, { batchSize }: Defaults): TrainSettings =>
  hasPackedBatches(given)
    ? packedBatches
    : { batchSize: given.maxTokens === undefined ? batchSize : undefined };

/** Kind of a training run. */
export type RunKind = keyof typeof runDefaults;

/** The kind of a run on a kind of corpus, or on a built-in task, with a new model and any preset but `keras`. */
export const runKindOf = (corpus: string, task?: string): RunKind => {
  if (task === 'read-line') return 'images';
  return corpus === 'intl' || corpus === 'task' ? corpus : 'pairs';
};

/** Settings of a run with all defaults filled in. */
export type CompleteSettings = SettingsWithDefaults & Required<Pick<TrainSettings, KindSetting>>;

/** The model folder in `init`, if it is not a scheme: the run fine-tunes that model. */
export const initFolder = ({ init }: TrainSettings): string | undefined =>
  init === undefined || (initSchemes as readonly string[]).includes(init) ? undefined : init;

/** Settings that the model of a fine-tuning determines. */
const modelSettings = [
  'preset',
  'norm',
  'tokenizer',
  'vocabSize',
  'lowercase',
  'tokenizerFile',
  'sourceTokenizer',
  'targetTokenizer',
] as const;

/**
 * Settings with the defaults of the table and of a kind of run: `keras` for that preset, `fineTune` for a model
 * folder in `init`, else the given kind. With the option `steps` or `epochs`, the default schedule `linear`
 * becomes `inverse-sqrt`: it does not depend on the last step, so that a run can be resumed for more steps as
 * if it had never ended. With `exportTo` a new model has the fields that the format needs, if the options do not say
 * otherwise. Throws a HeddleError for options that are wrong or exclude each other.
 */
export function completeSettings(
  options: TrainSettings,
  kind: RunKind,
  table: SettingTable,
): CompleteSettings {
  table.check(options);
  const given = table.in(options);
  const folder = initFolder(given);
  if (folder !== undefined)
    for (const own of modelSettings)
      check(
        given[own] === undefined,
        msg`the model in ${folder} has its own ${option(own)}; leave out ${option(own)} or ${option('init')}`,
        { area: 'train' },
      );
  const newKind = folder === undefined ? kind : 'fineTune';
  const own = given.preset && presetKind(given.preset);
  const defaults: Defaults = runDefaults[own ?? newKind];
  const exported: Partial<ModelOptions> | undefined =
    folder === undefined && given.exportTo ? exportedModels[given.exportTo] : undefined;
  const isDefaultLength = (given.steps ?? given.epochs) === undefined;
  const complete: CompleteSettings = {
    ...table.defaults,
    ...defaults,
    steps: isDefaultLength ? defaults.steps : undefined,
    epochs: isDefaultLength ? defaults.epochs : undefined,
    schedule: !isDefaultLength && defaults.schedule === 'linear' ? 'inverse-sqrt' : defaults.schedule,
    vocabSize: vocabSizeOf(given, defaults),
    ...batchesOf(given, defaults),
    norm: (exported ?? defaults).norm,
    ...given,
    dropout: dropoutOf(given, defaults),
  };
  table.checkApplicable(complete);
  if (!exported) return complete;
  const { norm: _, ...fields } = exported;
  return { ...complete, model: { ...fields, ...complete.model } };
}

/** Vocabulary size of the tokenizers for pairs that are no unigram models. */
const otherVocabSize = 8000;

/** The vocabulary size; undefined for a unigram model, whose size follows from the number of pairs. */
const vocabSizeOf = ({ tokenizer }: TrainSettings, defaults: Defaults): number | undefined =>
  defaults.vocabSize ?? ((tokenizer ?? defaults.tokenizer) === 'unigram' ? undefined : otherVocabSize);

/** The dropout rates: those of the settings over those of the kind of run, or else of the preset. */
function dropoutOf(given: TrainSettings, defaults: Defaults): TrainSettings['dropout'] {
  if (given.dropout === undefined) return defaults.dropout;
  const preset: Partial<ModelOptions> = presets[given.preset ?? defaults.preset];
  return mergeDropout(defaults.dropout ?? preset.dropout, given.dropout);
}

/**
 * Merges dropout rates: `given` overrides `base`. A single rate replaces a single rate, or all rates except
 * `memory` and `output`.
 */
function mergeDropout(
  base: ModelOptions['dropout'] = 0,
  given: NonNullable<TrainSettings['dropout']>,
): number | Partial<DropoutRates> {
  if (typeof given === 'number')
    return typeof base === 'number' ? given : { ...base, ...usualDropout(given) };
  const rates = typeof base === 'number' ? usualDropout(base) : base;
  return { ...rates, ...given };
}

/** The kind of run of a preset with defaults of its own; undefined for the others. */
function presetKind(name: PresetName): RunKind | undefined {
  const preset: Partial<ModelOptions> = presets[name];
  if (preset.source === 'frames') return preset.stem === 'conv' ? 'frames' : 'images';
  return name === 'keras' ? 'keras' : undefined;
}

/** Vocabulary size and optimizer for training a preset on the user's pairs. */
export const presetDefaults = (
  preset: PresetName,
): { readonly vocabSize: number; readonly optimizer: OptimizerName } => {
  const { vocabSize = otherVocabSize, optimizer }: Defaults = runDefaults[presetKind(preset) ?? 'pairs'];
  return { vocabSize, optimizer };
};

/** The kinds of runs in words. */
export const kindWords: Readonly<Record<RunKind, string>> = {
  intl: 'built-in corpus',
  task: 'built-in tasks',
  images: 'task read-line',
  pairs: 'pairs',
  frames: 'clips',
  keras: 'preset keras',
  fineTune: 'fine-tuning',
};

/** Settings whose default in a fine-tuning is that of the model. */
const inherited: readonly string[] = [...modelSettings, 'dropout', 'labelSmoothing', 'maxLength'];

const shown = (value: unknown): string =>
  typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);

/** Default of a setting for all kinds of runs that have no value of their own, in words. */
const usualDefault = ({ defaultText, default: value }: OptionField): string | undefined =>
  defaultText ?? (value === undefined ? undefined : typeof value === 'object' ? 'none' : shown(value));

/** Default of a setting for a kind of run, in words, if it is not the usual one. */
function ownDefault(name: string, kind: RunKind): string | undefined {
  if (kind === 'fineTune' && inherited.includes(name)) return 'that of the model';
  const value = settingOf(runDefaults[kind], name);
  return value === undefined ? undefined : shown(value);
}

/**
 * Default of a setting in words, for one kind of run or for all: `2`, `0.003 (built-in corpus), 0.001 (pairs)`, or
 * `1; preset keras: 0`; undefined if it has none.
 */
export function describeDefault(name: string, row: OptionField, only?: RunKind): string | undefined {
  const usual = usualDefault(row);
  if (only) return ownDefault(name, only) ?? usual;
  const byValue = new Map<string, string[]>();
  for (const kind of Object.keys(runDefaults) as RunKind[]) {
    const value = ownDefault(name, kind);
    if (value !== undefined && value !== usual)
      byValue.set(value, [...(byValue.get(value) ?? []), kindWords[kind]]);
  }
  if (byValue.size === 0) return usual;
  if (usual !== undefined)
    return [usual, ...[...byValue].map(([value, kinds]) => `${kinds.join(', ')}: ${value}`)].join('; ');
  return [...byValue]
    .map(([value, kinds]) =>
      kinds.length === Object.keys(runDefaults).length ? value : `${value} (${kinds.join(', ')})`,
    )
    .join(', ');
}
