// Converts a model to BART or MarianMT: a config.json with the same computation in transformers, or an error that names
// the fields that transformers does not support.

import { sizeOf } from '../../core/tensor.ts';
import type { Json } from '../../files/json-files.ts';
import { type ModelConfig, modelConfig } from '../../model/model-config.ts';
import { parameterList } from '../../model/parameters.ts';
import { sinusoids } from '../../ops/embedding/embedding.ts';
import { type FieldRequirement, requireFields, sharedWidths } from '../shared/requirements.ts';
import type { SavedModel } from '../shared/saved-model.ts';
import type { HfType } from './hf-fields.ts';

/** Rows of BART's table of positions before position 0. */
const bartOffset = 2;

/** A configuration with the parameters of the model type, and the parameter buffer for it. */
export interface HfExport {
  readonly config: ModelConfig;
  readonly weights: Float32Array;
  /** config.json. */
  readonly json: Json;
}

const architectures = { bart: 'BartForConditionalGeneration', marian: 'MarianMTModel' } as const;
const functions = { relu: 'relu', gelu: 'gelu', silu: 'swish' } as const;

/** Converts a model. Throws a HeddleError that names each field the model type does not support. */
export function toHfConfig({ config: c, weights, decode = {} }: SavedModel, type: HfType): HfExport {
  const marian = type === 'marian';
  const { embedding, residual, output } = c.dropout;
  const requirements: FieldRequirement[] = [
    ['norm', c.norm, 'post'],
    ['finalNorm', c.finalNorm, false],
    ['embeddingNorm', c.embeddingNorm, !marian],
    ['layerNormEps', c.layerNormEps, 1e-5],
    ...sharedWidths(c),
    ['dropout.output', output, 0],
    ['dropout.embedding', embedding, `that of residuals, ${residual}`, embedding === residual],
    ...(marian ? ([['positions', c.positions, 'sinusoidal-halves']] as const) : ([['tie', c.tie, 'all']] as const)),
  ];
  requireFields(marian ? 'MarianMT' : 'BART', requirements);
  const config = modelConfig({
    ...c,
    outputBias: true,
    ...(!marian && { positions: 'learned', positionOffset: bartOffset }),
  });
  return { config, weights: relayout(c, weights, config), json: jsonOf(config, decode, type) };
}

/**
 * Copies weights into the parameter buffer of another configuration; positions become a table with `positionOffset`
 * rows before it.
 */
function relayout(from: ModelConfig, weights: Float32Array, to: ModelConfig): Float32Array {
  const [before, after] = [parameterList(from), parameterList(to)];
  const buffer = new Float32Array(after.size);
  const layout = from.positions === 'sinusoidal' ? 'interleaved' : 'halves';
  for (const { name, offset, shape } of after.all) {
    const held = before.byName.get(name);
    if (name === 'src_pos.weight' || name === 'tgt_pos.weight') {
      const rows = to.maxLength * to.dModel;
      const skipped = held && held.offset + from.positionOffset * from.dModel;
      const table =
        skipped === undefined ? sinusoids(to.maxLength, to.dModel, layout) : weights.subarray(skipped, skipped + rows);
      buffer.set(table, offset + to.positionOffset * to.dModel);
    } else if (held) buffer.set(weights.subarray(held.offset, held.offset + sizeOf(shape)), offset);
  }
  return buffer;
}

function jsonOf(c: ModelConfig, decode: NonNullable<SavedModel['decode']>, type: HfType): Json {
  const { forcedBosTokenId, forceEos, suppressTokens = [], minNewTokens = 0, noRepeatNgramSize = 0 } = decode;
  const common = {
    activation_dropout: c.dropout.feedForward,
    activation_function: functions[c.activation],
    architectures: [architectures[type]],
    attention_dropout: c.dropout.attention,
    bos_token_id: c.startId,
    d_model: c.dModel,
    decoder_attention_heads: c.decoderHeads,
    decoder_ffn_dim: c.decoderFeedForward,
    decoder_layerdrop: 0,
    decoder_layers: c.decoderLayers,
    decoder_start_token_id: c.startId,
    dropout: c.dropout.residual,
    encoder_attention_heads: c.heads,
    encoder_ffn_dim: c.feedForward,
    encoder_layerdrop: 0,
    encoder_layers: c.encoderLayers,
    eos_token_id: c.endId,
    forced_eos_token_id: forceEos ? c.endId : null,
    is_encoder_decoder: true,
    max_position_embeddings: c.maxLength,
    model_type: type,
    num_hidden_layers: c.encoderLayers,
    pad_token_id: c.padId,
    scale_embedding: c.scaleEmbedding,
    torch_dtype: 'float32',
    use_cache: true,
    vocab_size: c.srcVocab,
  };
  return {
    ...common,
    ...(type === 'marian' && {
      decoder_vocab_size: c.tgtVocab,
      share_encoder_decoder_embeddings: c.tie === 'all',
      tie_word_embeddings: c.tie !== 'none',
    }),
    ...(forcedBosTokenId !== undefined && { forced_bos_token_id: forcedBosTokenId }),
    ...(suppressTokens.length > 0 && { bad_words_ids: suppressTokens.map((id) => [id]) }),
    ...(minNewTokens > 0 && { min_length: minNewTokens + 1 }),
    ...(noRepeatNgramSize > 0 && { no_repeat_ngram_size: noRepeatNgramSize }),
  };
}
