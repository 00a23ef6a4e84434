// Recipes: defaults of settings that depend on the kind of training run. There is a recipe for the built-in
// corpus, the built-in tasks, the user's pairs, the Keras example, and fine-tuning.

import { check } from '../../core/errors.ts';
import { withoutUndefined } from '../../files/json-files.ts';
import { initSchemes } from '../../model/initialize-weights.ts';
import type { DropoutRates, ModelOptions } from '../../model/model-config.ts';
import { usualDropout } from '../../model/model-fields.ts';
import { type PresetName, presets } from '../../model/presets.ts';
import type { Setting } from './setting-types.ts';
import { type SettingName, settings } from './settings.ts';
import type { SettingsWithDefaults, TrainSettings } from './train-settings.ts';
import { checkApplicable, checkSettings, settingDefaults, settingOf, settingsIn } from './train-settings.ts';

/** Settings that every recipe has. */
export type RecipeSetting =
  | 'preset'
  | 'tokenizer'
  | 'vocabSize'
  | 'optimizer'
  | 'learningRate'
  | 'schedule'
  | 'evalSteps';

type Recipe = TrainSettings & Required<Pick<TrainSettings, RecipeSetting>>;

/** The recipe of the built-in corpus. */
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

const recipes = {
  intl,
  task: { ...intl, tokenizer: 'char' },
  pairs: {
    preset: 'small',
    tokenizer: 'bpe',
    vocabSize: 8000,
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
} as const satisfies Record<string, Recipe>;

/**
 * Batches for a LoRA adapter over quantized weights: few tokens, to save memory. Two of them are about as
 * large as a usual batch.
 */
const packedBatches = { maxTokens: 512, gradientAccumulationSteps: 2 } as const;

/** Whether a run trains a LoRA adapter over quantized weights, and its settings have no batch size. */
export const hasPackedBatches = ({ lora, weights = 'f32', batchSize, maxTokens }: TrainSettings): boolean =>
  lora !== undefined && weights !== 'f32' && (batchSize ?? maxTokens) === undefined;

/** Name of a recipe. */
export type RecipeName = keyof typeof recipes;

/** The recipe of a kind of corpus. */
export const recipeFor = (corpus: string): RecipeName =>
  corpus === 'intl' || corpus === 'task' ? corpus : 'pairs';

/** Settings of a run with all defaults filled in. */
export type CompleteSettings = SettingsWithDefaults & Required<Pick<TrainSettings, RecipeSetting>>;

/** The model folder in `init`, if it is not a scheme: the run fine-tunes that model. */
export const initFolder = ({ init }: TrainSettings): string | undefined =>
  init === undefined || (initSchemes as readonly string[]).includes(init) ? undefined : init;

/**
 * Settings with the defaults of the table and of a recipe: `keras` for that preset, `fineTune` for a model
 * folder in `init`, else the given one. With the option `steps` or `epochs`, the default schedule `linear`
 * becomes `inverse-sqrt`: it does not depend on the last step, so that a run can be resumed for more steps as
 * if it had never ended. Throws a HeddleError for options that are wrong or exclude each other.
 */
export function completeSettings(options: TrainSettings, recipeName: RecipeName): CompleteSettings {
  checkSettings(options);
  const given = settingsIn(options);
  const folder = initFolder(given);
  const name = given.preset === 'keras' ? 'keras' : folder !== undefined ? 'fineTune' : recipeName;
  const { steps, epochs, batchSize, ...recipe }: Recipe = recipes[name];
  if (folder !== undefined)
    for (const own of [
      ...(['preset', 'norm', 'tokenizer', 'vocabSize', 'lowercase'] as const),
      ...(['tokenizerFile', 'sourceTokenizer', 'targetTokenizer'] as const),
    ])
      check(
        given[own] === undefined,
        `train: the model in ${folder} has its own ${own}; leave out ${own} or init`,
      );
  const isDefaultLength = (given.steps ?? given.epochs) === undefined;
  const preset: Partial<ModelOptions> = presets[given.preset ?? recipe.preset];
  const dropout =
    given.dropout === undefined
      ? recipe.dropout
      : mergeDropout(recipe.dropout ?? preset.dropout, given.dropout);
  const complete: CompleteSettings = {
    ...settingDefaults,
    ...recipe,
    ...(isDefaultLength && withoutUndefined({ steps, epochs })),
    ...(hasPackedBatches(given)
      ? packedBatches
      : given.maxTokens === undefined && batchSize !== undefined && { batchSize }),
    ...(!isDefaultLength && recipe.schedule === 'linear' && { schedule: 'inverse-sqrt' }),
    ...given,
    ...(dropout !== undefined && { dropout }),
  };
  checkApplicable(complete);
  return complete;
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
  return { ...(typeof base === 'number' ? usualDropout(base) : base), ...given };
}

/** Vocabulary size and optimizer for training a preset on the user's pairs. */
export const presetRecipe = (preset: PresetName): Pick<CompleteSettings, 'vocabSize' | 'optimizer'> =>
  recipes[preset === 'keras' ? 'keras' : 'pairs'];

const recipeWords: Record<RecipeName, string> = {
  intl: 'built-in corpus',
  task: 'built-in tasks',
  pairs: 'pairs',
  keras: 'preset keras',
  fineTune: 'fine-tuning',
};

/**
 * Default of a setting in words: `2`, or `0.003 (built-in corpus), 0.001 (pairs)`; undefined if it has none.
 */
export function describeDefault(name: SettingName): string | undefined {
  const row: Setting = settings[name];
  if (row.defaultText !== undefined) return row.defaultText;
  const show = (value: unknown) => (typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value));
  if (row.default !== undefined) return typeof row.default === 'object' ? 'none' : show(row.default);
  const byValue = new Map<string, string[]>();
  for (const [recipe, words] of Object.entries(recipeWords)) {
    const value = settingOf(recipes[recipe as RecipeName], name);
    if (value !== undefined) byValue.set(show(value), [...(byValue.get(show(value)) ?? []), words]);
  }
  const all = [...byValue].map(([value, names]) =>
    names.length === Object.keys(recipes).length ? value : `${value} (${names.join(', ')})`,
  );
  return all.length > 0 ? all.join(', ') : undefined;
}
