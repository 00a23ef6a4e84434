// config.json of BART and MarianMT: what each field becomes, and errors that name unsupported fields.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeddleError } from '../../../src/core/errors.ts';
import { readHfConfig } from '../../../src/formats/hf/hf-config.ts';
import { hfFamilies } from '../../../src/formats/hf/hf-families.ts';
import { requiredValues } from '../../../src/formats/hf/known-fields.ts';
import { type ExpectedError, errorAbout } from '../../support/expect-error.ts';

const bart = { model_type: 'bart' };
const marian = { model_type: 'marian' };

describe('a config.json', () => {
  it('has the defaults of BartConfig', () => {
    const { config, decode } = readHfConfig(bart);
    expect(config).toMatchObject({
      srcVocab: 50265,
      tgtVocab: 50265,
      dModel: 1024,
      heads: 16,
      encoderLayers: 12,
      decoderLayers: 12,
      feedForward: 4096,
      maxLength: 1024,
      positions: 'learned',
      positionOffset: 2,
      embeddingNorm: true,
      finalNorm: false,
      norm: 'post',
      activation: 'gelu',
      scaleEmbedding: false,
      tie: 'all',
      padId: 1,
      startId: 2,
      endId: 2,
      layerNormEps: 1e-5,
      hidePadding: false,
      dropout: { embedding: 0.1, residual: 0.1, attention: 0, feedForward: 0, memory: 0, output: 0 },
    });
    expect(decode).toEqual({ forceEos: true });
  });

  it('has the defaults of MarianConfig', () => {
    expect(readHfConfig(marian).config).toMatchObject({
      srcVocab: 58101,
      positions: 'sinusoidal-halves',
      positionOffset: 0,
      embeddingNorm: false,
      padId: 58100,
      startId: 58100,
      endId: 0,
    });
  });

  it.each<[object, object]>([
    [{ activation_function: 'swish' }, { activation: 'silu' }],
    [{ activation_function: 'gelu_python' }, { activation: 'gelu' }],
    [
      { normalize_before: true, add_final_layer_norm: true },
      { norm: 'pre', finalNorm: true },
    ],
    [{ normalize_embedding: false }, { embeddingNorm: false }],
    [{ static_position_embeddings: true }, { positions: 'sinusoidal-halves', positionOffset: 0 }],
    [{ extra_pos_embeddings: 0 }, { positionOffset: 0 }],
    [
      { attention_dropout: 0.2, activation_dropout: 0.3 },
      { dropout: { embedding: 0.1, residual: 0.1, attention: 0.2, feedForward: 0.3, memory: 0, output: 0 } },
    ],
    [
      { decoder_start_token_id: 1, pad_token_id: 1 },
      { startId: 1, padId: 1 },
    ],
    [
      { encoder_attention_heads: 4, decoder_attention_heads: 32, encoder_ffn_dim: 6, decoder_ffn_dim: 7 },
      {
        heads: 4,
        headWidth: 256,
        decoderHeads: 32,
        decoderHeadWidth: 32,
        feedForward: 6,
        decoderFeedForward: 7,
      },
    ],
    [{ id2label: { 0: 'A' }, torch_dtype: 'float16', use_cache: false, _name_or_path: 'x' }, {}],
    [{ is_encoder_decoder: true, chunk_size_feed_forward: 0, repetition_penalty: 1.0, pruned_heads: {} }, {}],
    [{ sep_token_id: null, a_field_that_says_nothing: null }, {}],
  ])('is read with %o', (fields, wanted) => {
    expect(readHfConfig({ ...bart, ...fields }).config).toMatchObject(wanted);
  });

  it.each<[object, object]>([
    [
      { share_encoder_decoder_embeddings: false, decoder_vocab_size: 60000 },
      { tie: 'target', tgtVocab: 60000 },
    ],
    [
      { share_encoder_decoder_embeddings: false, tie_word_embeddings: false },
      { tie: 'none', tgtVocab: 58101 },
    ],
    [{ decoder_vocab_size: 58101 }, { tie: 'all' }],
    [
      { encoder_layers: 6, decoder_layers: 1 },
      { encoderLayers: 6, decoderLayers: 1 },
    ],
  ])('of MarianMT is read with %o', (fields, wanted) => {
    expect(readHfConfig({ ...marian, ...fields }).config).toMatchObject(wanted);
  });

  it.each<[object, object]>([
    [{ forced_bos_token_id: 0 }, { forceEos: true, forcedBosTokenId: 0 }],
    [
      { force_bos_token_to_be_generated: true, bos_token_id: 5 },
      { forceEos: true, forcedBosTokenId: 5 },
    ],
    [{ forced_eos_token_id: null }, {}],
    [{ bad_words_ids: [[7], [2], [9]] }, { forceEos: true, suppressTokens: [7, 9] }],
    [{ bad_words_ids: [[7], [5, 6]] }, { forceEos: true, suppressTokens: [7], badWordsIds: [[5, 6]] }],
    [{ suppress_tokens: [3] }, { forceEos: true, suppressTokens: [3] }],
    [{ suppress_tokens: [3, 2], forced_eos_token_id: null }, { suppressTokens: [3, 2] }],
    [{ begin_suppress_tokens: [3, 4] }, { forceEos: true, beginSuppressTokens: [3, 4] }],
    [{ repetition_penalty: 1.2 }, { forceEos: true, repetitionPenalty: 1.2 }],
    [
      { min_new_tokens: 5, min_length: 4 },
      { forceEos: true, minNewTokens: 5 },
    ],
    [
      { min_new_tokens: 5, min_length: 9 },
      { forceEos: true, minNewTokens: 8 },
    ],
    [
      { min_length: 12, no_repeat_ngram_size: 3 },
      { forceEos: true, minNewTokens: 11, noRepeatNgramSize: 3 },
    ],
    [{ num_beams: 6, max_length: 20, length_penalty: 2, early_stopping: true }, { forceEos: true }],
  ])('with %o decodes by %o', (fields, wanted) => {
    expect(readHfConfig({ ...bart, ...fields }).decode).toEqual(wanted);
    expect(readHfConfig(bart, { ...fields, transformers_version: '4.51.2' }).decode).toEqual(wanted);
  });

  it('takes norms that it does not mention from the weights', () => {
    const has = (name: string) =>
      name === 'encoder.layernorm_embedding.weight' || name === 'encoder.layer_norm.weight';
    expect(readHfConfig(marian, {}, has).config).toMatchObject({ embeddingNorm: true, finalNorm: true });
    expect(readHfConfig({ ...marian, add_final_layer_norm: false }, {}, has).config.finalNorm).toBe(false);
  });
});

describe('is an error that names the field:', () => {
  it.each<[ExpectedError, object]>([
    [{ area: 'm/config.json', values: ['model_type', '"umt5"'] }, { model_type: 'umt5' }],
    [{ area: 'm/config.json', values: ['model_type'] }, { model_type: undefined }],
    [
      { area: 'm/config.json', values: ['["BartForSequenceClassification"]'] },
      { architectures: ['BartForSequenceClassification'] },
    ],
    [
      { area: 'm/config.json', values: ['activation_function', '"quick_gelu"'] },
      { activation_function: 'quick_gelu' },
    ],
    [
      { area: 'm/config.json', values: ['activation_function', '"toString"'] },
      { activation_function: 'toString' },
    ],
    [
      { area: 'm/config.json', values: ['bart', 'relative_attention_num_buckets'] },
      { relative_attention_num_buckets: 32 },
    ],
    [
      { area: 'm/config.json', values: ['bart', 'rope_theta', 'num_key_value_heads'] },
      { rope_theta: 1e4, num_key_value_heads: 2 },
    ],
    [{ area: 'm/config.json', values: ['decoder_attention_heads', '7'] }, { decoder_attention_heads: 7 }],
    [{ area: 'm/config.json', values: ['decoder_ffn_dim', '-8'] }, { decoder_ffn_dim: -8 }],
    [
      { area: 'm/config.json', values: ['encoder_attention_heads', '7'] },
      { encoder_attention_heads: 7, decoder_attention_heads: 7 },
    ],
    [{ area: 'm/config.json', values: ['encoder_attention_heads', '0'] }, { encoder_attention_heads: 0 }],
    [{ area: 'm/config.json', values: ['tie_word_embeddings', 'false'] }, { tie_word_embeddings: false }],
    [
      { area: 'm/config.json', values: ['share_encoder_decoder_embeddings', 'false'] },
      { share_encoder_decoder_embeddings: false },
    ],
    [{ area: 'm/config.json', values: ['decoder_vocab_size', '7'] }, { decoder_vocab_size: 7 }],
    [{ area: 'm/config.json', values: ['is_encoder_decoder', 'false'] }, { is_encoder_decoder: false }],
    [{ area: 'm/config.json', values: ['layer_norm_eps', '0.000001'] }, { layer_norm_eps: 1e-6 }],
    [
      { area: 'm/config.json', values: ['quantization_config', '{"bits":4}'] },
      { quantization_config: { bits: 4 } },
    ],
    [{ area: 'm/config.json', values: ['pruned_heads', '{"0":[1]}'] }, { pruned_heads: { 0: [1] } }],
    [{ area: 'm/config.json', values: ['repetition_penalty', '0'] }, { repetition_penalty: 0 }],
    [
      { area: 'm/config.json', values: ['encoder_repetition_penalty', '1.2'] },
      { encoder_repetition_penalty: 1.2 },
    ],
    [{ area: 'm/config.json', values: ['min_new_tokens', '-1'] }, { min_new_tokens: -1 }],
    [
      { area: 'm/config.json', values: ['begin_suppress_tokens', '[5,-1]'] },
      { begin_suppress_tokens: [5, -1] },
    ],
    [
      { area: 'm/config.json', values: ['suppress_tokens', '[5,2]'] },
      { suppress_tokens: [5, 2], forced_eos_token_id: 2 },
    ],
    [{ area: 'm/config.json', values: ['bad_words_ids', '[[1,"2"]]'] }, { bad_words_ids: [[1, '2']] }],
    [{ area: 'm/config.json', values: ['bad_words_ids'] }, { bad_words_ids: 'x' }],
    [{ area: 'm/config.json', values: ['forced_eos_token_id', '9'] }, { forced_eos_token_id: 9 }],
    [{ area: 'm/config.json', values: ['forced_bos_token_id', '-1'] }, { forced_bos_token_id: -1 }],
    [{ area: 'm/config.json', values: ['forced_bos_token_id'] }, { forced_bos_token_id: 50265 }],
    [{ area: 'm/config.json', values: ['suppress_tokens', '[5,-1]'] }, { suppress_tokens: [5, -1] }],
    [{ area: 'm/config.json', values: ['bad_words_ids', '[[60000]]'] }, { bad_words_ids: [[60000]] }],
    [{ area: 'm/config.json', values: ['no_repeat_ngram_size', '-1'] }, { no_repeat_ngram_size: -1 }],
    [
      { area: 'm/config.json', values: ['d_model / encoder_attention_heads', 1024, 1, 896] },
      { encoder_attention_heads: 1 },
    ],
    [
      { area: 'm/config.json', values: ['eos_token_id', '1'] },
      { eos_token_id: 1, pad_token_id: 1 },
    ],
    [{ area: 'm/config.json', values: ['eos_token_id', '[2,3]'] }, { eos_token_id: [2, 3] }],
    [{ area: 'm/config.json', values: ['d_model', '1.5'] }, { d_model: 1.5 }],
    [{ area: 'm/config.json', values: ['d_model', '"x"'] }, { d_model: 'x' }],
    [{ area: 'm/config.json', values: ['scale_embedding', '1'] }, { scale_embedding: 1 }],
    [{ area: 'm/config.json', values: ['num_attention_heads', '4'] }, { num_attention_heads: 4 }],
    [
      { area: 'm/config.json', values: ['share_encoder_decoder_embeddings', '"x"'] },
      { share_encoder_decoder_embeddings: 'x' },
    ],
    [{ area: 'm/config.json', values: ['bos_token_id', '-1'] }, { bos_token_id: -1 }],
    [
      { area: 'm/config.json', values: ['extra_pos_embeddings', '"2"'] },
      { model_type: 'marian', extra_pos_embeddings: '2' },
    ],
    [
      { area: 'm/config.json', values: ['hidden_size', '64'] },
      { model_type: 't5', hidden_size: 64 },
    ],
    [
      { area: 'm/config.json', values: ['decoder_vocab_size', '9'] },
      { model_type: 't5', decoder_vocab_size: 9 },
    ],
    [{ area: 'm/config.json', values: ['encoder_layers', 0] }, { encoder_layers: 0 }],
    [{ area: 'm/config.json', values: ['dropout', 2, 0, 1] }, { dropout: 2 }],
    [{ area: 'm/config.json', values: ['attention_dropout', -1, 1] }, { attention_dropout: -1 }],
    [{ area: 'm/config.json', values: ['vocab_size', 3, 4] }, { vocab_size: 3 }],
  ])('%j', (expected, fields) => {
    const read = () => readHfConfig({ ...bart, ...fields }, {}, () => false, 'm/config.json');
    expect(read).toThrow(errorAbout(expected));
  });

  it('for any values it is a configuration or a HeddleError', () => {
    const fields = [
      ...Object.keys(hfFamilies.marian.defaults),
      ...Object.keys(requiredValues),
      'forced_bos_token_id',
      'bad_words_ids',
    ];
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.integer(),
      fc.boolean(),
      fc.constantFrom(1e300, -1, 0.5, '__proto__'),
    );
    const some = fc.dictionary(
      fc.oneof(fc.constantFrom(...fields, 'architectures', 'suppress_tokens', '__proto__'), fc.string()),
      value,
    );
    fc.assert(
      fc.property(fc.constantFrom(bart, marian), some, some, (type, raw, generation) => {
        try {
          expect(readHfConfig({ ...raw, ...type }, generation).config.heads).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(HeddleError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('an unknown rule of generation_config.json', () => {
    expect(() => readHfConfig(bart, { watermarking_config: {} })).toThrow(
      errorAbout({ area: 'config.json', values: ['watermarking_config', '{}'] }),
    );
    expect(() => readHfConfig(bart, { eos_token_id: [2, 3] })).toThrow(
      errorAbout({ area: 'config.json', values: [2, '[2,3]'] }),
    );
    expect(readHfConfig(bart, { eos_token_id: [2] }).config.endId).toBe(2);
  });
});

describe('hostile values', () => {
  const hostile = [
    -1,
    0,
    0.5,
    3,
    1e9,
    2 ** 53,
    1e300,
    '',
    'gated-',
    'constructor',
    '__proto__',
    true,
    [],
    [1],
    { a: 1 },
  ];
  const rules = [
    'forced_bos_token_id',
    'suppress_tokens',
    'bad_words_ids',
    'min_length',
    'no_repeat_ngram_size',
  ];

  it.each(Object.keys(hfFamilies) as (keyof typeof hfFamilies)[])(
    'of each field of %s are rejected, or read',
    (type) => {
      for (const field of [
        ...Object.keys(hfFamilies[type].defaults),
        ...rules,
        'num_decoder_layers',
        'n_positions',
      ])
        for (const value of hostile) {
          const json = JSON.parse(`{"model_type":"${type}"}`);
          json[field] = value;
          try {
            const { config } = readHfConfig(json);
            expect(config.relativeBuckets).toBeGreaterThan(3);
            expect(
              Math.min(config.heads, config.headWidth, config.dModel, config.encoderLayers),
            ).toBeGreaterThan(0);
          } catch (error) {
            expect(error, `${field} ${JSON.stringify(value)}`).toBeInstanceOf(HeddleError);
          }
        }
    },
  );

  it.each([
    [
      { relative_attention_num_buckets: -8 },
      { area: 'config.json', values: ['relative_attention_num_buckets', '-8'] },
    ],
    [
      { relative_attention_num_buckets: 2 },
      { area: 'config.json', values: ['relative_attention_num_buckets', 2, 4, 128] },
    ],
    [
      { relative_attention_max_distance: 1 },
      { area: 'config.json', values: ['relative_attention_max_distance', 1] },
    ],
    [{ num_heads: 0 }, { area: 'config.json', values: ['num_heads', 0, 1] }],
    [{ d_kv: 1e9 }, { area: 'config.json', values: ['d_kv', 1, 896] }],
    [{ vocab_size: 1e9 }, { area: 'config.json' }],
    [
      { decoder_start_token_id: 40000 },
      { area: 'config.json', options: ['tgtVocab'], values: ['decoder_start_token_id'] },
    ],
    [{ num_layers: 1e9 }, { area: 'config.json', values: ['num_layers', 1, 1000] }],
    [
      { feed_forward_proj: 'gated-constructor' },
      { area: 'config.json', values: ['feed_forward_proj', '"gated-constructor"'] },
    ],
  ])('%o', (fields, expected) => {
    expect(() => readHfConfig({ model_type: 't5', ...fields })).toThrow(errorAbout(expected));
  });
});
