// The Hugging Face folders of tests/fixtures/hf for either host, in files that live in memory and may be changed.

import type { Files } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { fixtureFiles } from './golden.ts';

const whole = ['config.json', 'expected.json', 'model.safetensors'];
const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors', 'model.safetensors.index.json'];

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
