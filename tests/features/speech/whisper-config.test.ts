// Whisper in Hugging Face's layout: sizes of the real models, and hostile files, each refused by name.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { features } from '../../../src/features/features.ts';
import { speechFactsOf } from '../../../src/features/speech/decode/speech-facts.ts';
import { frames } from '../../../src/features/speech/frame-source.ts';
import { whisper } from '../../../src/features/speech/whisper-config.ts';
import type { Json } from '../../../src/files/json-files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { readHfConfig } from '../../../src/formats/hf/hf-config.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { type ExpectedError, errorAbout } from '../../support/expect-error.ts';

const sizes = (
  d: number,
  encoder: number,
  decoder: number,
  heads: number,
  mels = 80,
  vocab = 51865,
): Json => ({
  model_type: 'whisper',
  d_model: d,
  encoder_layers: encoder,
  decoder_layers: decoder,
  encoder_attention_heads: heads,
  decoder_attention_heads: heads,
  encoder_ffn_dim: 4 * d,
  decoder_ffn_dim: 4 * d,
  num_mel_bins: mels,
  vocab_size: vocab,
});

it.each<[string, Json, number]>([
  ['tiny', sizes(384, 4, 4, 6), 37.8],
  ['tiny.en', sizes(384, 4, 4, 6, 80, 51864), 37.8],
  ['base', sizes(512, 6, 6, 8), 72.6],
  ['small', sizes(768, 12, 12, 12), 241.7],
  ['medium', sizes(1024, 24, 24, 16), 763.9],
  ['large', sizes(1280, 32, 32, 20), 1543.3],
  ['large-v3-turbo', sizes(1280, 32, 4, 20, 128, 51866), 808.9],
])('whisper-%s has its number of parameters', async (_, raw, millions) => {
  const { config } = readHfConfig(raw, undefined, undefined, 'config.json', whisper);
  const list = parameterList(config, frames);
  const zeros = list.all.reduce((n, { zeros: range }) => n + (range ? range.end - range.first : 0), 0);
  expect((list.count - zeros) / 1e6).toBeCloseTo(millions, 0);
  expect(config).toMatchObject({ source: 'frames', stem: 'conv', maxSource: 1500, maxLength: 448 });
});

const folder = '../shared/golden-whisper/timestamps';

describe.skipIf(!existsSync(folder))('a hostile folder (../shared/golden-whisper)', () => {
  /** Loads the folder with other values of a JSON file. */
  async function load(file: string, fields: Json) {
    const files = memoryFiles();
    for (const name of readdirSync(folder)) {
      if (/^(batch|expected|audio)/.test(name)) continue;
      const bytes = readFileSync(`${folder}/${name}`);
      const changed = () =>
        new TextEncoder().encode(JSON.stringify({ ...JSON.parse(`${bytes}`), ...fields }));
      await files.write(`m/${name}`, name === file ? changed() : new Uint8Array(bytes));
    }
    return loadModelFolder(files, 'm', features);
  }

  it.each<[string, Json, ExpectedError]>([
    ['config.json', { num_mel_bins: 0 }, { area: 'm/config.json', values: ['num_mel_bins', '0'] }],
    ['config.json', { num_mel_bins: 1e9 }, { area: 'm/config.json', values: ['num_mel_bins'] }],
    [
      'generation_config.json',
      { language: 'xx' },
      { area: 'm/generation_config.json', values: ['language', '"xx"'] },
    ],
    [
      'generation_config.json',
      { task: 'sing' },
      { area: 'm/generation_config.json', values: ['task', '"sing"'] },
    ],
    [
      'generation_config.json',
      { repetition_penalty: 1.2 },
      { area: 'm/config.json', values: ['repetition_penalty', '1.2'] },
    ],
    [
      'generation_config.json',
      { min_new_tokens: 3 },
      { area: 'm/config.json', values: ['min_new_tokens', '3'] },
    ],
    ['config.json', { num_mel_bins: 64 }, { area: 'm/preprocessor_config.json', values: ['feature_size'] }],
    ['config.json', { d_model: -4 }, { area: 'm/config.json', values: ['d_model'] }],
    [
      'config.json',
      { encoder_attention_heads: 3 },
      { area: 'm/config.json', values: ['encoder_attention_heads'] },
    ],
    ['config.json', { decoder_layers: 'two' }, { area: 'm/config.json', values: ['decoder_layers'] }],
    ['config.json', { max_source_positions: 0 }, { area: 'm/config.json', values: ['max_source_positions'] }],
    [
      'config.json',
      { max_source_positions: 40 },
      { area: 'm/preprocessor_config.json', values: ['chunk_length'] },
    ],
    [
      'config.json',
      { max_target_positions: 1e12 },
      { area: 'm/config.json', values: ['max_target_positions'] },
    ],
    ['config.json', { vocab_size: 1e15 }, { area: 'm/config.json' }],
    [
      'config.json',
      { activation_function: 'tanh' },
      { area: 'm/config.json', values: ['activation_function'] },
    ],
    ['config.json', { eos_token_id: 999 }, { area: 'm/config.json', values: [999, '280'] }],
    [
      'config.json',
      { tie_word_embeddings: false },
      { area: 'm/config.json', values: ['tie_word_embeddings'] },
    ],
    ['config.json', { is_encoder_decoder: false }, { area: 'm/config.json', values: ['is_encoder_decoder'] }],
    ['config.json', { conv_kernel: 5 }, { area: 'm/config.json', values: ['conv_kernel'] }],
    [
      'generation_config.json',
      { suppress_tokens: [1e9] },
      { area: 'm/generation_config.json', values: ['suppress_tokens'] },
    ],
    [
      'generation_config.json',
      { begin_suppress_tokens: 'all' },
      { area: 'm/generation_config.json', values: ['begin_suppress_tokens'] },
    ],
    [
      'generation_config.json',
      { no_timestamps_token_id: -1 },
      { area: 'm/generation_config.json', values: ['no_timestamps_token_id'] },
    ],
    [
      'generation_config.json',
      { lang_to_id: { '<|en|>': 1e6 } },
      { area: 'm/generation_config.json', values: ['lang_to_id'] },
    ],
    [
      'generation_config.json',
      { forced_decoder_ids: [[1, 'en']] },
      { area: 'm/generation_config.json', values: ['forced_decoder_ids'] },
    ],
    [
      'generation_config.json',
      { is_multilingual: 'yes' },
      { area: 'm/generation_config.json', values: ['is_multilingual'] },
    ],
    [
      'generation_config.json',
      { max_length: 0 },
      { area: 'm/generation_config.json', values: ['max_length', '0'] },
    ],
    [
      'generation_config.json',
      { max_length: 3 },
      { area: 'm/generation_config.json', values: ['max_length', '3'] },
    ],
    [
      'generation_config.json',
      { repetition_penalty: 2 },
      { area: 'm/config.json', values: ['repetition_penalty'] },
    ],
    [
      'preprocessor_config.json',
      { hop_length: 80 },
      { area: 'm/preprocessor_config.json', values: ['hop_length'] },
    ],
    [
      'preprocessor_config.json',
      { chunk_length: 1e9 },
      { area: 'm/preprocessor_config.json', values: ['chunk_length'] },
    ],
    [
      'preprocessor_config.json',
      { sampling_rate: 8000 },
      { area: 'm/preprocessor_config.json', values: ['sampling_rate'] },
    ],
    [
      'preprocessor_config.json',
      { n_samples: 7 },
      { area: 'm/preprocessor_config.json', values: ['n_samples'] },
    ],
    [
      'preprocessor_config.json',
      { feature_size: 80 },
      { area: 'm/preprocessor_config.json', values: ['feature_size'] },
    ],
  ])('%s with %o is refused by name', async (file, fields, expected) => {
    await expect(load(file, fields)).rejects.toThrow(errorAbout(expected));
  });

  it.each<[Json, object]>([
    [{ language: 'German' }, { language: 'de', task: undefined }],
    [
      { language: '<|es|>', task: 'translate' },
      { language: 'es', task: 'translate' },
    ],
    [{ language: 'zh' }, { language: 'zh' }],
    [{ task: 'translate' }, { language: undefined, task: 'translate' }],
  ])('generation_config.json with %o states it', async (fields, wanted) => {
    expect(speechFactsOf(await load('generation_config.json', fields))).toMatchObject(wanted);
  });

  it('loads as it is, with its facts', async () => {
    const speech = speechFactsOf(await load('none', {}));
    expect(speech).toMatchObject({ windowSamples: 16000, multilingual: true, maxInitialTimestamp: 10 });
    expect([...(speech?.languages ?? [])].map(([code]) => code)).toEqual(['en', 'zh', 'de', 'es']);
  });
});
