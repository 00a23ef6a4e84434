// A small model with tokenizers of letters, for tests of whole models.

import type { SavedModel } from '../../src/formats/shared/saved-model.ts';
import { type ModelOptions, modelConfig } from '../../src/model/model-config.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { unevenWeights } from './decoding.ts';
import { trainCharacters } from './tokenizers.ts';

const letters = trainCharacters(['abc de']);

/**
 * A model of texts of the letters a to e, of at most 24 tokens. `options`: other fields of its configuration.
 */
export function letterModel(seed = 22, options: Partial<ModelOptions> = {}): SavedModel {
  const config = modelConfig({
    srcVocab: letters.size,
    tgtVocab: letters.size,
    dModel: 8,
    heads: 2,
    feedForward: 12,
    encoderLayers: 1,
    decoderLayers: 2,
    maxLength: 24,
    ...options,
  });
  return {
    config,
    source: letters,
    target: letters,
    weights: unevenWeights(config, parameterList(config), seed),
  };
}

/** A model of letters of at most 14 tokens, with norms before the sublayers. */
export const preNormLetterModel = (): SavedModel =>
  letterModel(22, {
    maxLength: 14,
    positions: 'learned',
    norm: 'pre',
    embeddingNorm: true,
    activation: 'silu',
  });
