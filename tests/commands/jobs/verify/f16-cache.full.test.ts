// The KV cache in f16 on all golden cases: the ids are those of the reference, and so of a cache in f32.

import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { heddle } from '../../../support/cli.ts';

/** The folders of cases in a folder; of ../shared only where it is there. */
const casesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && existsSync(`${folder}/${entry.name}/batch.safetensors`))
        .map(({ name }) => `${folder}/${name}`)
    : [];

const cases = ['tests/fixtures', '../shared']
  .flatMap((place) =>
    ['golden', 'golden-hf', 'golden-marian', 'golden-whisper'].map((name) => `${place}/${name}`),
  )
  .map((folder) => resolve(folder))
  .flatMap(casesIn);

it('decodes the same ids with keys and values in f16', async () => {
  expect(cases.length).toBeGreaterThan(3);
  const { stdout } = await heddle(['verify', ...cases, '--cache-type', 'f16', '--json']);
  const compared: { name: string; compared: { quantity: string; error: number }[] }[] = JSON.parse(stdout);
  const ids = compared.flatMap(({ compared: rows }) =>
    rows.filter(({ quantity }) => quantity === 'greedy' || quantity === 'beam'),
  );
  expect(ids.length).toBeGreaterThanOrEqual(cases.length);
  expect(ids.filter(({ error }) => error > 0)).toEqual([]);
});
