// The settings of a training run in one table. From it come the flags of `heddle train`, the options of
// `train` in the library (train-setting-types.ts), the settings that a resumed run may change, the form of the
// page and docs/settings.md. To add a setting, add a row and use its value. This file has the settings of the
// update; model-settings.ts and data-settings.ts have the others.

import { boolean, choice, custom, fitsType, integer, list, rate, text } from '../../core/fields.ts';
import { inGroup, type Setting } from '../../core/setting.ts';
import {
  optimizerDefault,
  optimizerFields,
  optimizerNames,
  optimizersWith,
  precisions,
} from '../update/optimizer-config.ts';
import { decayingSchedules, scheduleFields, scheduleNames } from '../update/schedule.ts';
import { checkpointSettings, dataSettings, evaluationSettings } from './data-settings.ts';
import { fineTuningSettings, modelSettings } from './model-settings.ts';

/** Decay rates of the two moments: 0.9,0.98. */
const betas = custom<readonly [number, number]>({
  unit: 'b1,b2',
  words: 'two rates',
  typescript: 'readonly [number, number]',
  accepts: (value): value is readonly [number, number] =>
    Array.isArray(value) && value.length === 2 && value.every((item) => fitsType(rate, item)),
});

/** The row of an option of some optimizers. */
const optimizerRow = <Name extends keyof typeof optimizerFields>(name: Name) => ({
  type: optimizerFields[name].type as (typeof optimizerFields)[Name]['type'],
  help: optimizerFields[name].help,
  defaultText: optimizerDefault(name),
  onlyFor: ['optimizer', ...optimizersWith(name)] as const,
});

/** The table. Settings of LoRA are the fields of the option `lora`. */
export const settings = {
  ...inGroup('Training', {
    steps: {
      type: integer(1, 'steps'),
      help: 'number of optimizer updates',
      resume: true,
      excludes: 'epochs',
      label: 'Steps',
    },
    epochs: {
      type: integer(1, 'n'),
      help: 'number of passes over the training pairs, instead of --steps',
      resume: true,
      label: 'Epochs',
    },
    batchSize: {
      type: integer(1, 'pairs'),
      help: 'pairs per batch',
      excludes: 'maxTokens',
      label: 'Batch size',
      resume: true,
    },
    maxTokens: {
      type: integer(1, 'tokens'),
      help: 'tokens per batch, counted on the longer side and with padding, instead of --batch-size',
      defaultText: 'batches of --batch-size pairs',
      resume: true,
    },
    buckets: {
      type: integer(1, 'n'),
      help: 'maximum number of batch shapes; each batch is padded to one of them',
      default: 2,
      label: 'Buckets (batch shapes)',
      advanced: true,
    },
    gradientAccumulationSteps: {
      type: integer(1, 'n'),
      help: 'batches per optimizer update (gradient accumulation)',
      default: 1,
      label: 'Gradient accumulation',
      advanced: true,
      resume: true,
    },
    changes: {
      type: text('changes'),
      help: 'change learningRate, dropout or evalSteps during the run, each after a number of steps: 40 learningRate=0.001 dropout=0; 80 evalSteps=50',
      defaultText: 'none',
      resume: true,
      label: 'Changes during the run',
      advanced: true,
    },
    seed: {
      type: integer(0, 'n'),
      help: 'seed of the initial weights, data order, dropout and built-in corpus',
      default: 1,
      label: 'Seed',
    },
    precision: {
      type: choice(precisions, 'type'),
      help: 'number type: f16 is mixed precision with loss scaling, which needs the GPU feature shader-f16',
      default: 'f32',
    },
    quantizeBits: {
      type: integer(0, 'bits', 8, 8),
      help: 'quantization-aware training: round matrices to 8 bits in the forward pass, for models that int8 formats store (0: off)',
      default: 0,
    },
    gradientCheckpointing: {
      type: boolean,
      help: 'gradient checkpointing: recompute each layer in the backward pass (less memory, more compute)',
      default: false,
    },
    checkFinite: {
      type: boolean,
      help: 'check every tensor of every step; stop at the first NaN or infinity and print its origin',
      default: false,
      resume: true,
    },
    noFuse: { type: list('rewrites'), help: 'graph rewrites to disable', default: [] },
  }),
  ...inGroup('Optimizer', {
    optimizer: {
      type: choice(optimizerNames, 'name'),
      help: 'optimizer',
      label: 'Optimizer',
      advanced: true,
    },
    learningRate: {
      type: scheduleFields.learningRate.type,
      help: 'maximum learning rate; for --schedule noam the factor in its formula',
      aliases: ['lr'],
      label: 'Learning rate',
      resume: true,
    },
    schedule: {
      type: choice(scheduleNames, 'name'),
      help: 'learning rate schedule; with --steps or --epochs the default linear becomes inverse-sqrt',
      label: 'Schedule',
      resume: true,
    },
    warmupSteps: {
      type: scheduleFields.warmupSteps.type,
      help: 'steps of linear warm-up of the learning rate',
      defaultText:
        'linear and cosine: a tenth of the steps, at most 100; inverse-sqrt and noam: 400; constant: 0',
      label: 'Warm-up steps',
      advanced: true,
      resume: true,
    },
    scheduleSteps: {
      type: scheduleFields.steps.type,
      help: 'step at which --schedule linear or cosine reaches its minimum',
      defaultText: 'the last step',
      onlyFor: ['schedule', ...decayingSchedules],
      resume: true,
    },
    minLearningRate: {
      type: scheduleFields.minLearningRate.type,
      help: 'learning rate at the end of --schedule linear or cosine',
      defaultText: '0',
      onlyFor: ['schedule', ...decayingSchedules],
      resume: true,
    },
    weightDecay: { ...optimizerRow('weightDecay'), label: 'Weight decay', advanced: true },
    betas: {
      type: betas,
      help: 'decay rates of the moments of adamw and adam',
      defaultText: `${optimizerDefault('beta1')},${optimizerDefault('beta2')}`,
      onlyFor: ['optimizer', ...optimizersWith('beta1')],
    },
    eps: optimizerRow('eps'),
    momentum: optimizerRow('momentum'),
    rho: optimizerRow('rho'),
    clipNorm: {
      type: optimizerFields.clipNorm.type,
      help: 'clip gradients to this global norm (0: no clipping)',
      defaultText: '1',
      label: 'Gradient clip norm',
      advanced: true,
    },
    emaDecay: {
      type: optimizerFields.emaDecay.type,
      help: 'evaluate and save an exponential moving average of the weights with this decay (0: the weights themselves)',
      defaultText: '0',
    },
    lossScaleGrowth: {
      type: optimizerFields.lossScaleGrowth.type,
      help: 'double the loss scale of --precision f16 after N steps without overflow (0: never)',
      defaultText: '2000',
      onlyFor: ['precision', 'f16'],
    },
  }),
  ...modelSettings,
  ...fineTuningSettings,
  ...dataSettings,
  ...evaluationSettings,
  ...checkpointSettings,
} as const satisfies Record<string, Setting>;

/** Type of the table of settings. */
export type Table = typeof settings;

/** Name of a setting; `lora.rank` is the field `rank` of the option `lora`. */
export type SettingName = keyof Table;
