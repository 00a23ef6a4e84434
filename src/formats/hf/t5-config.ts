// Reads and writes the fields of T5 and mT5 in config.json.

import { msg } from '../../core/message.ts';
import type { Json } from '../../files/json-files.ts';
import type { ModelConfig, ModelOptions } from '../../model/model-config.ts';
import { type FieldRequirement, ordinaryFields, sameFields } from '../shared/requirements.ts';
import { activationName, activations, type HfFields, isNothing, sizeNames, sizesJson } from './hf-fields.ts';

/** The model options of T5. The output projection has its own table if the weights have `lm_head.weight`. */
export function readT5Fields({
  raw,
  family,
  has,
  get,
  number,
  whole,
  sizes,
  flag,
  reject,
}: HfFields): ModelOptions {
  const projection = String(get('feed_forward_proj'));
  const gated = projection.startsWith('gated-');
  // transformers reads "gated-gelu" as the tanh approximation.
  const activation =
    projection === 'gated-gelu' ? 'gelu-tanh' : activations.get(projection.replace(/^gated-/, ''));
  if (!activation)
    return reject('feed_forward_proj', msg`heddle has ${[...activations.keys()].join(', ')}, or gated-NAME`);
  const tied = flag('tie_word_embeddings');
  const scaled = raw.scale_decoder_outputs ?? tied;
  if (typeof scaled !== 'boolean') reject('scale_decoder_outputs', msg`it must be true or false`);
  const vocab = whole('vocab_size');
  const { decoderLayers: _, ...names } = sizeNames.t5;
  const own = sizes(names);
  const rate = number('dropout_rate');
  return {
    srcVocab: vocab,
    tgtVocab: vocab,
    ...own,
    decoderHeadWidth: own.headWidth,
    decoderLayers: isNothing(raw.num_decoder_layers) ? own.encoderLayers : whole('num_decoder_layers'),
    dropout: {
      embedding: rate,
      residual: rate,
      attention: rate,
      feedForward: rate,
      memory: rate,
      output: rate,
    },
    norm: 'pre',
    normType: 'rms',
    finalNorm: true,
    activation,
    feedForwardType: gated ? 'gated' : 'plain',
    biases: false,
    attentionScale: false,
    positions: 'relative',
    tie: has('lm_head.weight') ? 'embeddings' : 'all',
    scaleEmbedding: false,
    scaleOutput: family.title !== 'mT5' && scaled === true,
    layerNormEps: number('layer_norm_epsilon'),
    outputBias: false,
  };
}

/** Requirements of the export to T5. */
export function t5Requirements(c: ModelConfig, type: 't5' | 'mt5'): FieldRequirement[] {
  return [
    ...ordinaryFields(c),
    ...sameFields(c, {
      norm: 'pre',
      normType: 'rms',
      finalNorm: true,
      embeddingNorm: false,
      biases: false,
      attentionScale: false,
      positions: 'relative',
      scaleEmbedding: false,
      outputBias: false,
      decoderHeads: c.heads,
      decoderHeadWidth: c.headWidth,
      decoderFeedForward: c.feedForward,
      scaleOutput: type === 'mt5' ? false : c.scaleOutput,
    }),
    ['tie', c.tie, 'all or embeddings', c.tie === 'all' || c.tie === 'embeddings'],
  ];
}

/** The fields of T5 in config.json. */
export function t5Json(c: ModelConfig): Json {
  const gated = c.feedForwardType === 'gated';
  const plain = activationName(c.activation);
  const gate = c.activation === 'gelu-tanh' ? 'gelu' : c.activation === 'gelu' ? 'gelu_python' : plain;
  return {
    ...sizesJson(c, sizeNames.t5),
    dropout_rate: c.dropout.residual,
    feed_forward_proj: gated ? `gated-${gate}` : plain,
    is_gated_act: gated,
    layer_norm_epsilon: c.layerNormEps,
    scale_decoder_outputs: c.scaleOutput,
    tie_word_embeddings: c.tie === 'all',
  };
}
