// The configuration of MarianMT weights that come without a config.json, as far as names and shapes tell it; the rest is as in the
// models of Helsinki-NLP. Only Marian's layout can be told so: its positions are computed, and nothing in it is optional.

import { HeddleError } from '../../core/errors.ts';
import type { Json } from '../../core/records.ts';
import { prefixOf, type StoredTensor } from './hf-tensors.ts';

/** Width of one head in the models of Helsinki-NLP; narrower models have one head. */
const usualHead = 64;

/** A config.json for weights. Throws a HeddleError, with `path` in it, where they are not in Marian's layout. */
export function inferMarian(tensors: ReadonlyMap<string, StoredTensor>, path: string): Json {
  const prefix = prefixOf(tensors);
  const shapeOf = (name: string) => tensors.get(`${prefix}${name}`)?.shape;
  const layersOf = (stack: string): number => {
    let n = 0;
    while (shapeOf(`${stack}.layers.${n}.fc1.weight`)) n++;
    return n;
  };
  const [vocab, width] = shapeOf('shared.weight') ?? [];
  const [ffn] = shapeOf('encoder.layers.0.fc1.weight') ?? [];
  const [decoderFfn] = shapeOf('decoder.layers.0.fc1.weight') ?? [];
  const foreign = ['embed_positions.weight', 'layernorm_embedding.weight', 'layer_norm.weight'].some((name) =>
    shapeOf(`encoder.${name}`),
  );
  if (vocab === undefined || width === undefined || ffn === undefined || decoderFfn === undefined || foreign)
    throw new HeddleError(
      `${path}: there is no config.json beside it, and its tensors are not in MarianMT's layout, which could do without`,
    );
  const heads = width > usualHead && width % usualHead === 0 ? width / usualHead : 1;
  const pad = vocab - 1;
  return {
    model_type: 'marian',
    architectures: [prefix ? 'MarianMTModel' : 'MarianModel'],
    vocab_size: vocab,
    d_model: width,
    encoder_layers: layersOf('encoder'),
    decoder_layers: layersOf('decoder'),
    encoder_ffn_dim: ffn,
    decoder_ffn_dim: decoderFfn,
    encoder_attention_heads: heads,
    decoder_attention_heads: heads,
    activation_function: 'swish',
    scale_embedding: true,
    max_position_embeddings: 512,
    pad_token_id: pad,
    decoder_start_token_id: pad,
    eos_token_id: 0,
    forced_eos_token_id: 0,
    bad_words_ids: [[pad]],
  };
}
