// Reads and writes the fields of T5 and mT5 in config.json.

import type { Json } from '../../files/json-files.ts';
import type { ModelConfig, ModelOptions } from '../../model/model-config.ts';
import { type FieldRequirement, sameFields } from '../shared/requirements.ts';
import { activations, type HfFields, isNothing } from './hf-fields.ts';

/** Maximum length if config.json has none: relative positions have no limit. */
const maxLength = 512;

/** The model options of T5. The output projection has its own table if the weights have `lm_head.weight`. */
export function readT5Fields({ raw, family, has, get, number, whole, flag, reject }: HfFields): ModelOptions {
  const projection = String(get('feed_forward_proj'));
  const gated = projection.startsWith('gated-');
  // transformers reads "gated-gelu" as the tanh approximation.
  const activation = projection === 'gated-gelu' ? 'gelu-tanh' : activations.get(projection.replace(/^gated-/, ''));
  if (!activation)
    return reject('feed_forward_proj', `heddle has ${[...activations.keys()].join(', ')}, or gated-NAME`);
  const tied = flag('tie_word_embeddings');
  const scaled = raw.scale_decoder_outputs ?? tied;
  if (typeof scaled !== 'boolean') reject('scale_decoder_outputs', 'it must be true or false');
  const vocab = whole('vocab_size');
  const layers = whole('num_layers');
  const [heads, headWidth] = [whole('num_heads'), whole('d_kv')];
  const rate = number('dropout_rate');
  return {
    srcVocab: vocab,
    tgtVocab: vocab,
    dModel: whole('d_model'),
    heads,
    headWidth,
    decoderHeadWidth: headWidth,
    encoderLayers: layers,
    decoderLayers: isNothing(raw.num_decoder_layers) ? layers : whole('num_decoder_layers'),
    feedForward: whole('d_ff'),
    dropout: { embedding: rate, residual: rate, attention: rate, feedForward: rate, memory: rate, output: rate },
    norm: 'pre',
    normType: 'rms',
    finalNorm: true,
    activation,
    feedForwardType: gated ? 'gated' : 'plain',
    biases: false,
    attentionScale: false,
    positions: 'relative',
    relativeBuckets: whole('relative_attention_num_buckets'),
    relativeMaxDistance: whole('relative_attention_max_distance'),
    maxLength: isNothing(raw.n_positions) ? maxLength : whole('n_positions'),
    tie: has('lm_head.weight') ? 'embeddings' : 'all',
    scaleEmbedding: false,
    scaleOutput: family.title !== 'mT5' && scaled === true,
    layerNormEps: number('layer_norm_epsilon'),
    outputBias: false,
  };
}

/** Requirements of the export to T5. */
export function t5Requirements(c: ModelConfig, type: 't5' | 'mt5'): FieldRequirement[] {
  const { residual } = c.dropout;
  return [
    ...sameFields(c, {
      ...{ norm: 'pre', normType: 'rms', finalNorm: true, embeddingNorm: false, biases: false, attentionScale: false },
      ...{ positions: 'relative', scaleEmbedding: false, outputBias: false, decoderHeads: c.heads },
      ...{ decoderHeadWidth: c.headWidth, decoderFeedForward: c.feedForward },
      ...(type === 'mt5' && { scaleOutput: false }),
    }),
    ['tie', c.tie, 'all or embeddings', c.tie === 'all' || c.tie === 'embeddings'],
    ['dropout', c.dropout, 'one rate', Object.values(c.dropout).every((rate) => rate === residual)],
  ];
}

/** The fields of T5 in config.json. */
export function t5Json(c: ModelConfig): Json {
  const gated = c.feedForwardType === 'gated';
  const plain = { relu: 'relu', gelu: 'gelu', 'gelu-tanh': 'gelu_new', silu: 'silu' }[c.activation];
  const gate = c.activation === 'gelu-tanh' ? 'gelu' : c.activation === 'gelu' ? 'gelu_python' : plain;
  return {
    d_ff: c.feedForward,
    d_kv: c.headWidth,
    d_model: c.dModel,
    dropout_rate: c.dropout.residual,
    feed_forward_proj: gated ? `gated-${gate}` : plain,
    is_gated_act: gated,
    layer_norm_epsilon: c.layerNormEps,
    n_positions: c.maxLength,
    num_decoder_layers: c.decoderLayers,
    num_heads: c.heads,
    num_layers: c.encoderLayers,
    relative_attention_max_distance: c.relativeMaxDistance,
    relative_attention_num_buckets: c.relativeBuckets,
    scale_decoder_outputs: c.scaleOutput,
    tie_word_embeddings: c.tie === 'all',
  };
}
