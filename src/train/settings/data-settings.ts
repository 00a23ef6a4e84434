// Rows of the table of settings: data, evaluation and checkpoints.

import { boolean, choice, integer, list, notNegative, openChoice, rate, text } from '../../core/fields.ts';
import { inGroup } from '../../core/setting.ts';
import { mainMetricNames } from '../../text/metrics/main-metrics.ts';
import type { TrainedKind } from '../../text/text-tasks.ts';

/** Settings of the data. */
export const dataSettings = inGroup('Data', {
  heldOut: {
    type: { ...rate, unit: 'fraction' },
    help: 'fraction of the source sentences to hold out for dev, and the same fraction for test (0: none)',
    default: 0.02,
    label: 'Held-out fraction',
    advanced: true,
  },
  tokenizer: {
    type: choice(['unigram', 'bpe', 'word', 'char'] satisfies TrainedKind[], 'kind'),
    help: 'tokenizer to train: a SentencePiece unigram model, byte-pair encoding, words or characters',
    label: 'Tokenizer',
    advanced: true,
  },
  vocabSize: {
    type: integer(5, 'tokens'),
    help: 'maximum size of each vocabulary',
    defaultText:
      'unigram 1000 up to 30,000 pairs, 4000 up to 200,000, 8000 up to 1 million, 16000 up to 3 million, else 32000; other tokenizers 8000',
    label: 'Vocabulary size',
    advanced: true,
  },
  lowercase: {
    type: boolean,
    help: 'lowercase all text, with any tokenizer (--no-lowercase: keep the case)',
    default: false,
  },
  byteFallback: {
    type: boolean,
    help: 'write characters without a piece as the pieces of their UTF-8 bytes, so that no token is unknown',
    defaultText: 'on from --vocab-size 512',
    onlyFor: ['tokenizer', 'unigram'],
  },
  characterCoverage: {
    type: { kind: 'number', above: 0, max: 1, unit: 'fraction' },
    help: 'fraction of the characters of the text that get pieces; the others are rare',
    defaultText: '0.9995',
    onlyFor: ['tokenizer', 'unigram'],
  },
  splitDigits: {
    type: boolean,
    help: 'make each digit a piece of its own',
    defaultText: 'off',
    onlyFor: ['tokenizer', 'unigram'],
  },
  userSymbols: {
    type: list('text'),
    help: 'texts that are always one piece, such as <BT>, the tag of back-translations',
    defaultText: 'none',
    onlyFor: ['tokenizer', 'unigram'],
  },
  controlSymbols: {
    type: list('text'),
    help: 'pieces with an id that no text encodes to',
    defaultText: 'none',
    onlyFor: ['tokenizer', 'unigram'],
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
    defaultText: "the preset's",
  },
  truncate: {
    type: boolean,
    help: 'truncate pairs that are longer than --max-length instead of skipping them',
    default: false,
  },
  fillVocab: {
    type: boolean,
    help: 'pad a word vocabulary to --vocab-size with unused tokens',
    defaultText: 'off',
  },
});

/** Settings of the evaluation. */
export const evaluationSettings = inGroup('Evaluation', {
  evalSteps: {
    type: integer(0, 'steps'),
    help: 'evaluate on the dev pairs every N steps and at the end (0: never)',
    resume: true,
    label: 'Evaluation interval (steps)',
    advanced: true,
  },
  earlyEvals: {
    type: boolean,
    help: 'also evaluate after 25, 50 and 100 steps; these evaluations select no weights',
    default: false,
    resume: true,
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
    type: openChoice(mainMetricNames, 'metric'),
    help: 'keep the weights that score best on this dev metric',
    default: 'loss',
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
});

/** Settings of checkpoints. */
export const checkpointSettings = inGroup('Checkpoints', {
  saveSteps: {
    type: integer(0, 'steps'),
    help: 'save a checkpoint every N steps (0: only by time and at the end)',
    default: 0,
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
  keepTokens: {
    type: boolean,
    help: 'keep the token ids in OUT/tokens.cache, and encoded sources that are no texts in OUT/sources.cache, so that a resumed run starts at once; false deletes them',
    default: true,
    resume: true,
  },
  exportTo: {
    type: choice(['bart', 'marian', 't5'], 'format'),
    help: 'give a new model the fields (norms, positions, one vocabulary) that this format of transformers needs; warn at the start if it cannot be converted, since other settings differ',
    defaultText: 'none',
    resume: true,
  },
  tensorboard: {
    type: text('dir'),
    help: 'write losses, learning rates and dev metrics as TensorBoard event files into this folder, outside the model folder',
    defaultText: 'none',
    resume: true,
  },
});
