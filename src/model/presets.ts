// Sizes of models by name.

import type { ModelOptions } from './model-config.ts';

/** What the models of Firefox Translations have in common; see docs/firefox.md. */
const firefox = {
  heads: 8,
  encoderLayers: 6,
  decoderLayers: 2,
  maxLength: 256,
  decoderSelfAttention: 'ssru',
  positions: 'marian-sinusoidal',
  finalNorm: false,
  layerNormEps: 1e-6,
  tie: 'all',
} as const satisfies Partial<ModelOptions>;

/** What models of speech have in common, which read log-mel frames as Whisper does. */
const speech = {
  source: 'frames',
  frameWidth: 80,
  stem: 'conv',
  norm: 'pre',
  keyBias: false,
  positions: 'learned',
  maxSource: 300, // 6 s
  maxLength: 64,
  tie: 'target',
  activation: 'gelu',
  scaleEmbedding: false,
  outputBias: false,
} as const satisfies Partial<ModelOptions>;

/** T5 1.1 without its sizes. */
const t5 = {
  norm: 'pre',
  normType: 'rms',
  layerNormEps: 1e-6,
  feedForwardType: 'gated',
  activation: 'gelu-tanh',
  positions: 'relative',
  biases: false,
  attentionScale: false,
  scaleEmbedding: false,
  outputBias: false,
  tie: 'embeddings',
} as const;

/** Model sizes by name, for `--preset`. The vocabulary sizes come from the tokenizers. */
export const presets = {
  tiny: { dModel: 64, heads: 4, encoderLayers: 2, decoderLayers: 2, feedForward: 256, maxLength: 64 },
  small: { dModel: 128, heads: 4, encoderLayers: 2, decoderLayers: 2, feedForward: 512, maxLength: 64 },
  mid: { dModel: 256, heads: 8, encoderLayers: 3, decoderLayers: 3, feedForward: 1024, maxLength: 128 },
  base: {
    dModel: 512,
    heads: 8,
    encoderLayers: 6,
    decoderLayers: 6,
    feedForward: 2048,
    maxLength: 256,
    tie: 'all',
  },
  keras: {
    dModel: 256,
    heads: 8,
    headWidth: 256,
    encoderLayers: 1,
    decoderLayers: 1,
    feedForward: 2048,
    maxLength: 20,
    positions: 'learned',
    finalNorm: false,
    scaleEmbedding: false,
    layerNormEps: 1e-3,
    dropout: { output: 0.5 },
  },
  't5-tiny': {
    dModel: 64,
    heads: 4,
    headWidth: 16,
    encoderLayers: 2,
    decoderLayers: 2,
    feedForward: 128,
    maxLength: 64,
    ...t5,
  },
  'firefox-tiny': { ...firefox, dModel: 256, feedForward: 1536 },
  'firefox-base': { ...firefox, dModel: 512, feedForward: 2048 },
  'firefox-base-memory': { ...firefox, dModel: 384, feedForward: 1536, decoderLayers: 4 },
  'speech-tiny': { ...speech, dModel: 128, heads: 4, encoderLayers: 2, decoderLayers: 1, feedForward: 512 },
  // Images of a line: patches of 16 x 16 pixels.
  'line-tiny': {
    source: 'frames',
    frameWidth: 256,
    stem: 'linear',
    norm: 'pre',
    positions: 'learned',
    tie: 'target',
    dModel: 64,
    heads: 4,
    encoderLayers: 2,
    decoderLayers: 1,
    feedForward: 256,
    maxSource: 24,
    maxLength: 24,
    scaleEmbedding: false,
  },
  'speech-small': { ...speech, dModel: 256, heads: 4, encoderLayers: 4, decoderLayers: 2, feedForward: 1024 },
} as const satisfies Record<string, Partial<ModelOptions>>;

/** Names of the presets. */
export type PresetName = keyof typeof presets;

/** The fields of models that convert to a format of transformers, without sizes. */
export const exportedModels = {
  bart: { norm: 'post', finalNorm: false, embeddingNorm: true, tie: 'all' },
  marian: { norm: 'post', finalNorm: false, positions: 'sinusoidal-halves', tie: 'all' },
  t5,
} as const satisfies Record<string, Partial<ModelOptions>>;
