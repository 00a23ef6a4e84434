// The settings of a training run in one table. From it come the flags of `heddle train`, the options of
// `train` in the library, the settings that a resumed run may change, the form of the page and
// docs/settings.md. To add a setting, add a row and use its value.

import { type PresetName, presets } from '../../model/presets.ts';
import { weightFormats } from '../../model/quantized-parameters.ts';
import type { TokenizerKind } from '../../text/tokenizers/tokenizer.ts';
import { optimizerNames, precisions } from '../update/optimizer-config.ts';
import { scheduleNames } from '../update/schedule.ts';
import { bestMetrics } from './best-metrics.ts';
import type { Setting } from './setting-types.ts';
import {
  boolean,
  choice,
  integer,
  list,
  notNegative,
  positive,
  rate,
  rowsOf,
  text,
} from './setting-types.ts';

/** The table. Settings of LoRA are the fields of the option `lora`. */
export const settings = {
  ...rowsOf('Training', {
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
      oldFlags: ['batch'],
      excludes: 'maxTokens',
      label: 'Batch size',
      resume: true,
    },
    maxTokens: {
      type: integer(1, 'tokens'),
      help: 'tokens per batch, counted on the longer side and with padding, instead of --batch-size',
      defaultText: 'batches of --batch-size pairs',
      oldFlags: ['tokens'],
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
      oldFlags: ['accumulate'],
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
      help: 'f16: mixed precision with loss scaling; needs the GPU feature shader-f16',
      default: 'f32',
    },
    gradientCheckpointing: {
      type: boolean,
      help: 'gradient checkpointing: recompute each layer in the backward pass (less memory, more compute)',
      default: false,
      oldFlags: ['checkpoint-layers'],
    },
    checkFinite: {
      type: boolean,
      help: 'check every tensor of every step; stop at the first NaN or infinity and print its origin',
      default: false,
      resume: true,
    },
    noFuse: { type: list('rewrites'), help: 'graph rewrites to disable', default: [] },
  }),
  ...rowsOf('Optimizer', {
    optimizer: {
      type: choice(optimizerNames, 'name'),
      help: 'optimizer',
      label: 'Optimizer',
      advanced: true,
    },
    learningRate: {
      type: positive('rate'),
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
      type: integer(0, 'steps'),
      help: 'steps of linear warm-up of the learning rate',
      defaultText:
        'linear and cosine: a tenth of the steps, at most 100; inverse-sqrt and noam: 400; constant: 0',
      oldFlags: ['warmup'],
      label: 'Warm-up steps',
      advanced: true,
      resume: true,
    },
    scheduleSteps: {
      type: integer(1, 'steps'),
      help: 'step at which --schedule linear or cosine reaches its minimum',
      defaultText: 'the last step',
      onlyFor: ['schedule', 'linear', 'cosine'],
      resume: true,
    },
    minLearningRate: {
      type: notNegative('rate'),
      help: 'learning rate at the end of --schedule linear or cosine',
      defaultText: '0',
      oldFlags: ['lr-floor'],
      onlyFor: ['schedule', 'linear', 'cosine'],
      resume: true,
    },
    weightDecay: {
      type: notNegative('rate'),
      help: 'weight decay, not for biases and norms: decoupled for adamw, L2 for adam and sgd',
      defaultText: '0',
      onlyFor: ['optimizer', 'adamw', 'adam', 'sgd'],
      label: 'Weight decay',
      advanced: true,
    },
    betas: {
      type: { kind: 'betas', unit: 'b1,b2' },
      help: 'decay rates of the moments of adamw and adam',
      defaultText: '0.9,0.98',
      onlyFor: ['optimizer', 'adamw', 'adam'],
    },
    eps: {
      type: { kind: 'number', above: 0, below: 1, unit: 'number' },
      help: 'constant added to the denominator of the update',
      defaultText: '1e-9; rmsprop: 1e-7',
      onlyFor: ['optimizer', 'adamw', 'adam', 'rmsprop'],
    },
    momentum: { type: rate, help: 'momentum of sgd', defaultText: '0.9', onlyFor: ['optimizer', 'sgd'] },
    rho: {
      type: rate,
      help: 'decay rate of the mean square of rmsprop',
      defaultText: '0.9',
      onlyFor: ['optimizer', 'rmsprop'],
    },
    clipNorm: {
      type: notNegative('norm'),
      help: 'clip gradients to this global norm (0: no clipping)',
      defaultText: '1; preset keras: 0',
      oldFlags: ['clip'],
      label: 'Gradient clip norm',
      advanced: true,
    },
    emaDecay: {
      type: rate,
      help: 'evaluate and save an exponential moving average of the weights with this decay (0: the weights themselves)',
      defaultText: '0',
      oldFlags: ['ema'],
    },
    lossScaleGrowth: {
      type: integer(0, 'steps'),
      help: 'double the loss scale of --precision f16 after N steps without overflow (0: never)',
      defaultText: '2000',
      onlyFor: ['precision', 'f16'],
    },
  }),
  ...rowsOf('Model', {
    preset: {
      type: choice(Object.keys(presets) as PresetName[], 'name'),
      help: 'model size',
      label: 'Preset',
    },
    model: {
      type: { kind: 'model', unit: 'field=value' },
      help: 'change a field of the model configuration, e.g. --set heads=4; may be repeated',
      default: {},
    },
    norm: {
      type: choice(['pre', 'post'], 'position'),
      help: 'layer norm before (pre) or after (post) each sub-layer',
      defaultText:
        'pre (built-in corpus, built-in tasks, preset t5-tiny), else post; fine-tuning: that of the model',
      label: 'Layer norm',
      advanced: true,
    },
    dropout: {
      type: { kind: 'dropout', unit: 'rates' },
      help: 'dropout rate, or rates by place: embedding, attention, feedForward, residual, memory (encoder output), output (before the output projection), e.g. attention=0.2,output=0.1',
      defaultText:
        '0.1 (pairs), 0 (built-in corpus, built-in tasks), output=0.5 (preset keras), that of the model (fine-tuning)',
      label: 'Dropout',
    },
    labelSmoothing: {
      type: rate,
      help: 'label smoothing of the loss',
      defaultText: '0; fine-tuning: that of the model',
      label: 'Label smoothing',
    },
    init: {
      type: text('scheme|dir'),
      help: 'initialize the weights with a scheme (xavier, truncated-normal), or fine-tune the model in this folder (heddle or Hugging Face) with its tokenizers',
      default: 'xavier',
    },
  }),
  ...rowsOf('Fine-tuning', {
    sourceLang: {
      type: text('code'),
      help: 'source language, if the model in --init has languages (M2M100, NLLB, mBART): en, eng_Latn, en_XX',
      defaultText: 'the language of the model',
    },
    targetLang: {
      type: text('code'),
      help: 'target language, if the model in --init has languages',
      defaultText: 'the language of the model',
    },
    freeze: {
      type: list('patterns'),
      help: 'freeze parameters whose full name, or its part after any dot, matches one of these globs, e.g. encoder.*,*.bias; may be repeated',
      defaultText: 'none',
    },
    'lora.rank': {
      type: integer(1, 'n'),
      help: 'rank of a LoRA adapter to train; all other weights are frozen, and train saves the adapter in the format of PEFT',
      defaultText: 'train all weights',
      aliases: ['lora'],
    },
    'lora.alpha': {
      type: positive('n'),
      help: 'alpha of LoRA: the update is multiplied by alpha / rank',
      defaultText: 'twice the rank',
    },
    'lora.targetModules': {
      type: list('patterns'),
      help: 'globs of linear layers that get a LoRA adapter, e.g. *.q_proj,*.fc1; layers: q_proj, k_proj, v_proj, out_proj, fc1, fc2 (in T5 q, k, v, o, wi, wo); the ending _proj may be omitted',
      defaultText: '*.q,*.v',
      oldFlags: ['lora-targets'],
    },
    'lora.dropout': { type: rate, help: 'dropout rate of the input of the LoRA adapter', defaultText: '0' },
    weights: {
      type: choice(weightFormats, 'format'),
      help:
        'format of the frozen weights under a LoRA adapter: f16 or int8 (one scale per row) saves memory, ' +
        'and changes the default batch to --max-tokens 512 --gradient-accumulation-steps 2',
      defaultText: 'f32',
    },
  }),
  ...rowsOf('Data', {
    heldOut: {
      type: { ...rate, unit: 'fraction' },
      help: 'fraction of the source sentences to hold out for dev, and the same fraction for test (0: none)',
      default: 0.02,
      label: 'Held-out fraction',
      advanced: true,
    },
    tokenizer: {
      type: choice(['word', 'char', 'bpe'] satisfies TokenizerKind[], 'kind'),
      help: 'tokenizer to train: words, characters or byte-pair encoding',
      label: 'Tokenizer',
      advanced: true,
    },
    vocabSize: {
      type: integer(5, 'tokens'),
      help: 'maximum size of each vocabulary',
      oldFlags: ['vocab'],
      label: 'Vocabulary size',
      advanced: true,
    },
    lowercase: {
      type: boolean,
      help: 'lowercase all text, with any tokenizer (--no-lowercase: keep the case)',
      default: false,
      defaultText: 'off; preset keras: on',
    },
    tokenizerFile: {
      type: text('file'),
      help: 'use this tokenizer for both sides instead of training one: a tokenizer.json or a SentencePiece model',
      defaultText: 'train a tokenizer',
    },
    sourceTokenizer: {
      type: text('file'),
      help: 'like --tokenizer-file, only for the source',
      defaultText: '--tokenizer-file, or train one',
      excludes: 'tokenizerFile',
    },
    targetTokenizer: {
      type: text('file'),
      help: 'like --tokenizer-file, only for the target',
      defaultText: '--tokenizer-file, or train one',
      excludes: 'tokenizerFile',
    },
    maxLength: {
      type: integer(2, 'tokens'),
      help: 'maximum length of source and target; also the number of positions of a new model',
      defaultText: "the preset's, or the model's",
    },
    truncate: {
      type: boolean,
      help: 'truncate pairs that are longer than --max-length instead of skipping them',
      default: false,
    },
    fillVocab: {
      type: boolean,
      help: 'pad a word vocabulary to --vocab-size with unused tokens',
      defaultText: 'off; preset keras: on',
    },
  }),
  ...rowsOf('Evaluation', {
    evalSteps: {
      type: integer(0, 'steps'),
      help: 'evaluate on the dev pairs every N steps and at the end (0: never)',
      oldFlags: ['eval-every'],
      resume: true,
      label: 'Evaluation interval (steps)',
      advanced: true,
    },
    probe: {
      type: text('pair'),
      help: 'pair whose attention and most probable next tokens are recorded during training: SOURCE<tab>TARGET, or the word dev for a dev pair',
      defaultText: 'none',
      resume: true,
    },
    probeSteps: {
      type: integer(0, 'steps'),
      help: 'record the probe every N steps, in at most 3 % of the training time (0: never)',
      default: 10,
      resume: true,
      label: 'Probe interval (steps)',
      advanced: true,
    },
    updateRatioSteps: {
      type: integer(0, 'steps'),
      help: 'log the norm of the update divided by the norm of the weights every N steps (0: never)',
      default: 0,
      resume: true,
      label: 'Update ratio interval (steps)',
      advanced: true,
    },
    devSentences: {
      type: integer(0, 'n'),
      help: 'number of dev sentences to translate for BLEU, chrF and exact match',
      default: 200,
      resume: true,
      label: 'Dev sentences to translate',
      advanced: true,
    },
    bestMetric: {
      type: choice(bestMetrics, 'metric'),
      help: 'keep the weights that score best on this dev metric',
      default: 'loss',
      oldFlags: ['best'],
      resume: true,
    },
    patience: {
      type: integer(0, 'n'),
      help: 'early stopping: stop after N evaluations without improvement (0: never)',
      default: 0,
      resume: true,
    },
    testSentences: {
      type: integer(0, 'n'),
      help: 'number of test sentences to translate at the end',
      default: 500,
      resume: true,
    },
  }),
  ...rowsOf('Checkpoints', {
    saveSteps: {
      type: integer(0, 'steps'),
      help: 'save a checkpoint every N steps (0: only by time and at the end)',
      default: 0,
      oldFlags: ['save-every'],
      resume: true,
    },
    saveSeconds: {
      type: notNegative('seconds'),
      help: 'save a checkpoint every N seconds, in at most 2 % of the time (0: never)',
      default: 60,
      resume: true,
      label: 'Checkpoint interval (seconds)',
      advanced: true,
    },
    keepLast: {
      type: integer(0, 'n'),
      help: 'keep the weights of the last N checkpoints in folders OUT.step-STEP, for heddle average',
      default: 0,
      resume: true,
    },
    tensorboard: {
      type: text('dir'),
      help: 'write losses, learning rates and dev metrics as TensorBoard event files into this folder, outside --out',
      defaultText: 'none',
      resume: true,
    },
  }),
} as const satisfies Record<string, Setting>;

/** Type of the table of settings. */
export type Table = typeof settings;

/** Name of a setting; `lora.rank` is the field `rank` of the option `lora`. */
export type SettingName = keyof Table;
