// The Hugging Face folders of tests/fixtures/hf, for Node and pages, as files in memory that tests may
// change.

import type { Files } from '../../src/files/files.ts';
import type { Json } from '../../src/files/json-files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { readHfConfig } from '../../src/formats/hf/hf-config.ts';
import { hfFamilies } from '../../src/formats/hf/hf-families.ts';
import type { HfType } from '../../src/formats/shared/hf-types.ts';
import type { ModelConfig } from '../../src/model/model-config.ts';
import { fixtureFiles } from './golden.ts';

const whole = ['config.json', 'expected.json', 'model.safetensors'];
const shards = [
  'model-00001-of-00002.safetensors',
  'model-00002-of-00002.safetensors',
  'model.safetensors.index.json',
];

/** The folders and the files that each has. */
export const hfFixtures = {
  bart: whole,
  'bart-pre-norm': whole,
  marian: ['config.json', 'expected.json', ...shards],
  'marian-two-vocabularies': whole,
  'marian-untied': whole,
  'marian-uneven': whole,
} as const;

/** Name of a folder. */
export type HfFixture = keyof typeof hfFixtures;
export const hfNames = Object.keys(hfFixtures) as HfFixture[];

/** An HF folder by its name, in separate memory files. */
export async function hfFolder(name: HfFixture): Promise<Files> {
  const files = memoryFiles();
  for (const file of hfFixtures[name])
    await files.write(`${name}/${file}`, await fixtureFiles.read(`tests/fixtures/hf/${name}/${file}`));
  return files;
}

/** Changes the fields of a JSON file. */
export async function editJson(files: Files, path: string, change: Record<string, unknown>): Promise<void> {
  const json = JSON.parse(new TextDecoder().decode(await files.read(path)));
  await files.write(path, new TextEncoder().encode(JSON.stringify({ ...json, ...change })));
}

/** The config.json of a small model of a family: layers, heads and widths of the stacks differ. */
export function smallHfJson(type: HfType): Json {
  const layers = {
    encoder_layers: 1,
    decoder_layers: 2,
    encoder_attention_heads: 2,
    decoder_attention_heads: 4,
  };
  const bart = {
    ...layers,
    d_model: 12,
    encoder_ffn_dim: 10,
    decoder_ffn_dim: 7,
    max_position_embeddings: 16,
  };
  const sizes = { d_model: 10, d_kv: 5, num_heads: 2, d_ff: 14, num_layers: 1, num_decoder_layers: 2 };
  const buckets = { relative_attention_num_buckets: 6, relative_attention_max_distance: 5, n_positions: 16 };
  const ids = {
    vocab_size: 23,
    pad_token_id: 0,
    eos_token_id: 1,
    decoder_start_token_id: 0,
    dropout_rate: 0,
  };
  const t5 = hfFamilies[type].like === 't5';
  return {
    model_type: type,
    ...ids,
    ...(t5 ? { ...sizes, ...buckets } : { ...bart, dropout_rate: undefined }),
  };
}

/** The configuration of `smallHfJson`, with other fields of config.json. */
export const smallHfConfig = (type: HfType, fields: Json = {}): ModelConfig =>
  readHfConfig({ ...smallHfJson(type), ...fields }, undefined, undefined, 'config.json', hfFamilies[type])
    .config;
