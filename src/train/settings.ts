// Settings of a training run: one table, from which come the flags of `heddle train`, the options type of the library,
// the list of what a resumed run may change, the fields of the page's form and docs/settings.md. To add a setting, add
// a row and use it.

import type { DropoutRates, ModelOptions } from '../model/model-config.ts';
import { type PresetName, presets } from '../model/presets.ts';
import { weightFormats } from '../model/quantized-parameters.ts';
import type { TokenizerKind } from '../text/tokenizers/tokenizer.ts';
import { optimizerNames, precisions } from '../trainer/optimizer-config.ts';
import { scheduleNames } from '../trainer/schedule.ts';
import { bestMetrics } from './selection.ts';

/** Type of a setting's value: how a flag is parsed, an option checked and a form field entered. */
export type SettingType =
  | { readonly kind: 'integer'; readonly min: number }
  /** A number of at least `min` or above `above`, and below `below`. */
  | { readonly kind: 'number'; readonly min?: number; readonly above?: number; readonly below?: number }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'boolean' | 'text' }
  /** Texts; separated by commas on the command line, where the flag may be repeated. */
  | { readonly kind: 'list' }
  /** Two rates, as 0.9,0.98. */
  | { readonly kind: 'betas' }
  /** A rate, or rates by place: 0.1 or attention=0.2,output=0.1. */
  | { readonly kind: 'dropout' }
  /** Fields of the model configuration: field=value on the command line, where the flag may be repeated. */
  | { readonly kind: 'model' };

/** Headings of the settings in help texts and documentation. */
export const settingGroups = [
  'Training',
  'Optimizer',
  'Model',
  'Fine-tuning',
  'Data',
  'Evaluation',
  'Checkpoints',
] as const;

/** A row of the table. Its key is the option of the library and the field in JSON. */
export interface Setting {
  readonly group: (typeof settingGroups)[number];
  readonly type: SettingType;
  /** Noun or verb phrase, without the default. */
  readonly help: string;
  /** Unit of the value, which is also the placeholder of the flag: `steps`, `rate`. */
  readonly unit: string;
  /** Value if neither the user nor the recipe (recipes.ts) sets one. */
  readonly default?: unknown;
  /** The default in words, if it is not a constant. */
  readonly defaultText?: string;
  /** Other flags of the same meaning, without dashes. */
  readonly aliases?: readonly string[];
  /** Former names of the flag: they still work, and print the new name. */
  readonly oldFlags?: readonly string[];
  /** Whether a resumed run may change it. */
  readonly resume?: true;
  /** A setting that excludes this one. */
  readonly excludes?: string;
  /** Values of another setting for which this one exists. */
  readonly onlyFor?: readonly [setting: string, ...values: string[]];
  /** Label in the page's form; settings without one are not in the form. */
  readonly label?: string;
  /** Whether the form shows it under "Advanced". */
  readonly advanced?: true;
}

const integer = (min: number) => ({ kind: 'integer', min }) as const;
const choice = <const Choices extends readonly string[]>(choices: Choices) => ({ kind: 'choice', choices }) as const;
const rate = { kind: 'number', min: 0, below: 1 } as const;
const positive = { kind: 'number', above: 0 } as const;
const notNegative = { kind: 'number', min: 0 } as const;
const boolean = { kind: 'boolean' } as const;
const list = { kind: 'list' } as const;

/** The table. Settings of LoRA are the fields of the option `lora`. */
export const settings = {
  steps: {
    group: 'Training',
    type: integer(1),
    unit: 'steps',
    help: 'number of optimizer updates',
    resume: true,
    excludes: 'epochs',
    label: 'Steps',
  },
  epochs: {
    group: 'Training',
    type: integer(1),
    unit: 'n',
    help: 'number of passes over the training pairs, instead of --steps',
    resume: true,
    label: 'Epochs',
  },
  batchSize: {
    group: 'Training',
    type: integer(1),
    unit: 'pairs',
    help: 'pairs per batch',
    oldFlags: ['batch'],
    excludes: 'maxTokens',
    label: 'Batch size',
    resume: true,
  },
  maxTokens: {
    group: 'Training',
    type: integer(1),
    unit: 'tokens',
    help: 'tokens per batch, counted on the longer side and with padding, instead of --batch-size',
    defaultText: 'batches of --batch-size pairs',
    oldFlags: ['tokens'],
    resume: true,
  },
  buckets: {
    group: 'Training',
    type: integer(1),
    unit: 'n',
    help: 'maximum number of batch shapes; each batch is padded to one of them',
    default: 2,
    label: 'Batch shapes',
    advanced: true,
  },
  gradientAccumulationSteps: {
    group: 'Training',
    type: integer(1),
    unit: 'n',
    help: 'batches per optimizer update (gradient accumulation)',
    default: 1,
    oldFlags: ['accumulate'],
    label: 'Gradient accumulation',
    advanced: true,
    resume: true,
  },
  changes: {
    group: 'Training',
    type: { kind: 'text' },
    unit: 'steps',
    help: 'change learningRate, dropout or evalSteps after these numbers of steps, as 40 learningRate=0.001 dropout=0; 80 evalSteps=50',
    defaultText: 'none',
    resume: true,
    label: 'Changes during the run',
    advanced: true,
  },
  seed: {
    group: 'Training',
    type: integer(0),
    unit: 'n',
    help: 'seed of the initial weights, data order, dropout and built-in corpus',
    default: 1,
    label: 'Seed',
  },
  precision: {
    group: 'Training',
    type: choice(precisions),
    unit: 'type',
    help: 'f16: mixed precision with loss scaling; needs the GPU feature shader-f16',
    default: 'f32',
  },
  gradientCheckpointing: {
    group: 'Training',
    type: boolean,
    unit: '',
    help: 'gradient checkpointing: recompute each layer in the backward pass (less memory, more compute)',
    default: false,
    oldFlags: ['checkpoint-layers'],
  },
  checkFinite: {
    group: 'Training',
    type: boolean,
    unit: '',
    help: 'check every tensor of every step; stop at the first NaN or infinity and print its origin',
    default: false,
    resume: true,
  },
  noFuse: {
    group: 'Training',
    type: list,
    unit: 'rewrites',
    help: 'graph rewrites to disable',
    default: [],
  },
  optimizer: {
    group: 'Optimizer',
    type: choice(optimizerNames),
    unit: 'name',
    help: 'optimizer',
    label: 'Optimizer',
    advanced: true,
  },
  learningRate: {
    group: 'Optimizer',
    type: positive,
    unit: 'rate',
    help: 'maximum learning rate; for the schedule noam the factor of its formula',
    aliases: ['lr'],
    label: 'Learning rate',
    resume: true,
  },
  schedule: {
    group: 'Optimizer',
    type: choice(scheduleNames),
    unit: 'name',
    help: 'learning rate schedule',
    label: 'Schedule',
    resume: true,
  },
  warmupSteps: {
    group: 'Optimizer',
    type: integer(0),
    unit: 'steps',
    help: 'steps of linear warm-up of the learning rate',
    defaultText: 'linear and cosine: a tenth of the steps, at most 100; inverse-sqrt and noam: 400; constant: 0',
    oldFlags: ['warmup'],
    label: 'Warm-up steps',
    advanced: true,
    resume: true,
  },
  scheduleSteps: {
    group: 'Optimizer',
    type: integer(1),
    unit: 'steps',
    help: 'step at which linear and cosine reach their minimum',
    defaultText: 'the last step',
    onlyFor: ['schedule', 'linear', 'cosine'],
    resume: true,
  },
  minLearningRate: {
    group: 'Optimizer',
    type: notNegative,
    unit: 'rate',
    help: 'learning rate at the end of linear and cosine',
    defaultText: '0',
    oldFlags: ['lr-floor'],
    onlyFor: ['schedule', 'linear', 'cosine'],
    resume: true,
  },
  weightDecay: {
    group: 'Optimizer',
    type: notNegative,
    unit: 'rate',
    help: 'weight decay: decoupled for adamw, L2 for adam and sgd; not applied to biases and norms',
    defaultText: '0',
    onlyFor: ['optimizer', 'adamw', 'adam', 'sgd'],
    label: 'Weight decay',
    advanced: true,
  },
  betas: {
    group: 'Optimizer',
    type: { kind: 'betas' },
    unit: 'b1,b2',
    help: 'decay rates of the moments of adamw and adam',
    defaultText: '0.9,0.98',
    onlyFor: ['optimizer', 'adamw', 'adam'],
  },
  eps: {
    group: 'Optimizer',
    type: { kind: 'number', above: 0, below: 1 },
    unit: 'number',
    help: 'constant added to the denominator of the update',
    defaultText: '1e-9; rmsprop: 1e-7',
    onlyFor: ['optimizer', 'adamw', 'adam', 'rmsprop'],
  },
  momentum: {
    group: 'Optimizer',
    type: rate,
    unit: 'rate',
    help: 'momentum of sgd',
    defaultText: '0.9',
    onlyFor: ['optimizer', 'sgd'],
  },
  rho: {
    group: 'Optimizer',
    type: rate,
    unit: 'rate',
    help: 'decay rate of the mean square of rmsprop',
    defaultText: '0.9',
    onlyFor: ['optimizer', 'rmsprop'],
  },
  clipNorm: {
    group: 'Optimizer',
    type: notNegative,
    unit: 'norm',
    help: 'clip gradients to this global norm (0: no clipping)',
    defaultText: '1; preset keras: 0',
    oldFlags: ['clip'],
    label: 'Gradient clip norm',
    advanced: true,
  },
  emaDecay: {
    group: 'Optimizer',
    type: rate,
    unit: 'rate',
    help: 'decay of an exponential moving average of the weights, which is evaluated and saved (0: none)',
    defaultText: '0',
    oldFlags: ['ema'],
  },
  lossScaleGrowth: {
    group: 'Optimizer',
    type: integer(0),
    unit: 'steps',
    help: 'steps without overflow after which the loss scale of f16 doubles',
    defaultText: '2000',
    onlyFor: ['precision', 'f16'],
  },
  preset: {
    group: 'Model',
    type: choice(Object.keys(presets) as PresetName[]),
    unit: 'name',
    help: 'sizes of the model',
    label: 'Model',
  },
  model: {
    group: 'Model',
    type: { kind: 'model' },
    unit: 'field=value',
    help: 'field of the model configuration to change, e.g. --set heads=4; may be repeated',
    default: {},
  },
  norm: {
    group: 'Model',
    type: choice(['pre', 'post']),
    unit: 'position',
    help: 'layer norm before or after each sub-layer',
    label: 'Layer norm',
    advanced: true,
  },
  dropout: {
    group: 'Model',
    type: { kind: 'dropout' },
    unit: 'rates',
    help: 'dropout rate, or rates by place: embedding, attention, feedForward, residual, memory, output (as attention=0.2,output=0.1)',
    label: 'Dropout',
  },
  labelSmoothing: {
    group: 'Model',
    type: rate,
    unit: 'rate',
    help: 'label smoothing of the loss',
    defaultText: "0, or the preset's",
    label: 'Label smoothing',
  },
  init: {
    group: 'Model',
    type: { kind: 'text' },
    unit: 'scheme|dir',
    help: 'initialize the weights by a scheme (xavier, truncated-normal), or from a model folder to fine-tune it: of heddle or Hugging Face, with its tokenizers',
    default: 'xavier',
  },
  sourceLang: {
    group: 'Fine-tuning',
    type: { kind: 'text' },
    unit: 'code',
    help: 'language of the sources, for a model of --init with languages (M2M100, NLLB, mBART): en, eng_Latn, en_XX',
    defaultText: 'that of the model',
  },
  targetLang: {
    group: 'Fine-tuning',
    type: { kind: 'text' },
    unit: 'code',
    help: 'language of the targets, for a model of --init with languages',
    defaultText: 'that of the model',
  },
  freeze: {
    group: 'Fine-tuning',
    type: list,
    unit: 'patterns',
    help: 'parameters to freeze: globs on the whole name or from one of its dots, as encoder.*,*.bias; may be repeated',
    defaultText: 'none',
  },
  'lora.rank': {
    group: 'Fine-tuning',
    type: integer(1),
    unit: 'n',
    help: 'train a LoRA adapter of this rank for the model of --init, and save it in the format of PEFT',
    defaultText: 'train all weights',
    aliases: ['lora'],
  },
  'lora.alpha': {
    group: 'Fine-tuning',
    type: positive,
    unit: 'n',
    help: 'scale of the LoRA update, which is multiplied by alpha / rank',
    defaultText: 'twice the rank',
  },
  'lora.targetModules': {
    group: 'Fine-tuning',
    type: list,
    unit: 'patterns',
    help: 'linear layers that get a LoRA adapter: q_proj, k_proj, v_proj, out_proj, fc1, fc2; of T5 q, k, v, o, wi, wo',
    defaultText: '*.q,*.v',
    oldFlags: ['lora-targets'],
  },
  'lora.dropout': {
    group: 'Fine-tuning',
    type: rate,
    unit: 'rate',
    help: 'dropout of the input of the LoRA adapter',
    defaultText: '0',
  },
  weights: {
    group: 'Fine-tuning',
    type: choice(weightFormats),
    unit: 'format',
    help:
      'storage of the weights under a LoRA adapter: f16, or int8 with a scale per row, save memory; ' +
      'the default is then --max-tokens 512 --gradient-accumulation-steps 2',
    defaultText: 'f32',
  },
  heldOut: {
    group: 'Data',
    type: rate,
    unit: 'share',
    help: 'share of source sentences held out for dev, and the same again for test',
    default: 0.02,
    label: 'Held-out share',
    advanced: true,
  },
  tokenizer: {
    group: 'Data',
    type: choice(['word', 'char', 'bpe'] satisfies TokenizerKind[]),
    unit: 'kind',
    help: 'tokenizer to train: words, characters or byte-pair encoding',
    label: 'Tokenizer',
    advanced: true,
  },
  vocabSize: {
    group: 'Data',
    type: integer(5),
    unit: 'tokens',
    help: 'maximum size of each vocabulary',
    oldFlags: ['vocab'],
    label: 'Vocabulary size',
    advanced: true,
  },
  lowercase: {
    group: 'Data',
    type: boolean,
    unit: '',
    help: 'lowercase all text, for any tokenizer (--no-lowercase: keep its case)',
    default: false,
    defaultText: 'off; preset keras: on',
  },
  tokenizerFile: {
    group: 'Data',
    type: { kind: 'text' },
    unit: 'file',
    help: 'tokenizer of both sides that was trained before: a tokenizer.json or a SentencePiece model',
    defaultText: 'train a tokenizer',
  },
  sourceTokenizer: {
    group: 'Data',
    type: { kind: 'text' },
    unit: 'file',
    help: 'tokenizer of the source alone, as --tokenizer-file',
    defaultText: 'that of --tokenizer-file, or trained',
    excludes: 'tokenizerFile',
  },
  targetTokenizer: {
    group: 'Data',
    type: { kind: 'text' },
    unit: 'file',
    help: 'tokenizer of the target alone, as --tokenizer-file',
    defaultText: 'that of --tokenizer-file, or trained',
    excludes: 'tokenizerFile',
  },
  maxLength: {
    group: 'Data',
    type: integer(2),
    unit: 'tokens',
    help: 'maximum length of a side of a pair; the positions of a new model',
    defaultText: "the preset's, or that of the model",
  },
  truncate: {
    group: 'Data',
    type: boolean,
    unit: '',
    help: 'cut pairs that are longer than the maximum length instead of leaving them out',
    default: false,
  },
  fillVocab: {
    group: 'Data',
    type: boolean,
    unit: '',
    help: 'pad a vocabulary of words to its full size',
    defaultText: 'off; preset keras: on',
  },
  evalSteps: {
    group: 'Evaluation',
    type: integer(0),
    unit: 'steps',
    help: 'evaluate on the dev pairs every N steps and at the end (0: never)',
    oldFlags: ['eval-every'],
    resume: true,
    label: 'Evaluate every, steps',
    advanced: true,
  },
  probe: {
    group: 'Evaluation',
    type: { kind: 'text' },
    unit: 'pair',
    help: 'record attention and likely next tokens of this pair during training: source, tab, target; dev: a dev pair',
    defaultText: 'none',
    resume: true,
  },
  probeSteps: {
    group: 'Evaluation',
    type: integer(1),
    unit: 'steps',
    help: 'record the probe every N steps, in at most 3 % of the time',
    default: 10,
    resume: true,
    label: 'Probe every, steps',
    advanced: true,
  },
  updateRatioSteps: {
    group: 'Evaluation',
    type: integer(0),
    unit: 'steps',
    help: 'measure the norm of the update over the norm of the weights every N steps (0: never)',
    default: 0,
    resume: true,
    label: 'Update norm every, steps',
    advanced: true,
  },
  devSentences: {
    group: 'Evaluation',
    type: integer(0),
    unit: 'n',
    help: 'number of dev sentences to translate for BLEU, chrF and exact match',
    default: 200,
    resume: true,
    label: 'Dev sentences',
    advanced: true,
  },
  bestMetric: {
    group: 'Evaluation',
    type: choice(bestMetrics),
    unit: 'metric',
    help: 'keep the weights that score best on this dev metric',
    default: 'loss',
    oldFlags: ['best'],
    resume: true,
  },
  patience: {
    group: 'Evaluation',
    type: integer(0),
    unit: 'n',
    help: 'early stopping: stop after N evaluations without improvement (0: never)',
    default: 0,
    resume: true,
  },
  testSentences: {
    group: 'Evaluation',
    type: integer(0),
    unit: 'n',
    help: 'number of test sentences to translate at the end',
    default: 500,
    resume: true,
  },
  saveSteps: {
    group: 'Checkpoints',
    type: integer(0),
    unit: 'steps',
    help: 'save a checkpoint every N steps (0: only by time and at the end)',
    default: 0,
    oldFlags: ['save-every'],
    resume: true,
  },
  saveSeconds: {
    group: 'Checkpoints',
    type: notNegative,
    unit: 'seconds',
    help: 'save a checkpoint every N seconds, in at most 2 % of the time (0: never)',
    default: 60,
    resume: true,
    label: 'Checkpoint every, seconds',
    advanced: true,
  },
  keepLast: {
    group: 'Checkpoints',
    type: integer(0),
    unit: 'n',
    help: 'also keep the weights of the last N checkpoints, in folders OUT.step-STEP, for heddle average',
    default: 0,
    resume: true,
  },
  tensorboard: {
    group: 'Checkpoints',
    type: { kind: 'text' },
    unit: 'dir',
    help: 'also write the log as TensorBoard event files in this folder, outside --out: losses, rates and dev metrics by step',
    defaultText: 'none',
    resume: true,
  },
} as const satisfies Record<string, Setting>;

/** The table of settings as a type. */
export type Table = typeof settings;

/** Name of a setting; `lora.rank` is the field `rank` of the option `lora`. */
export type SettingName = keyof Table;

/** Type of the value of a setting. */
export type ValueOf<T extends SettingType> = T extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : {
      integer: number;
      number: number;
      choice: string;
      boolean: boolean;
      text: string;
      list: readonly string[];
      betas: readonly [number, number];
      dropout: number | Partial<DropoutRates>;
      model: Partial<ModelOptions>;
    }[T['kind']];

/** Options of a training run; docs/settings.md lists them with their defaults. */
export type TrainSettings = {
  readonly [Name in SettingName as Name extends `lora.${string}` ? never : Name]?: ValueOf<Table[Name]['type']>;
} & {
  readonly lora?: { readonly rank: number } & {
    readonly [Name in SettingName as Name extends `lora.${infer Field}` ? Field : never]?: ValueOf<Table[Name]['type']>;
  };
};

/** Names of the settings that have a constant default. */
type WithDefault = { [Name in SettingName]: Table[Name] extends { default: unknown } ? Name : never }[SettingName];

/** The settings with the constant defaults filled in. */
export type SettingsWithDefaults = TrainSettings & Required<Pick<TrainSettings, WithDefault & keyof TrainSettings>>;

/** The rows of the table, in order. */
export const settingRows = Object.entries(settings) as unknown as readonly (readonly [SettingName, Setting])[];

/** The constant defaults. */
export const settingDefaults = Object.fromEntries(
  settingRows.flatMap(([name, row]) => (row.default === undefined ? [] : [[name, row.default]])),
) as Required<Pick<TrainSettings, WithDefault & keyof TrainSettings>>;

/** Names of the settings that a resumed run may change. */
export const resumableSettings = settingRows.flatMap(([name, { resume }]) => (resume ? [name] : [])) as readonly {
  [Name in SettingName]: Table[Name] extends { resume: true } ? Name : never;
}[SettingName][];

/** Flag of a setting: `--batch-size` for `batchSize`; the field `model` is set by `--set`. */
export const flagOf = (name: SettingName): string =>
  name === 'model' ? '--set' : `--${name.replace('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Value of a setting. */
export const settingOf = (given: TrainSettings, name: SettingName): unknown =>
  name.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], given);

/** The settings among other fields of an object. */
export const settingsIn = (fields: TrainSettings): TrainSettings =>
  Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => value !== undefined && (name === 'lora' || name in settings)),
  );
