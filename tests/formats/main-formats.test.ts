// The table of model formats, alone and with those of guests.
import { expect, it } from 'vitest';
import { features } from '../../src/features/features.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { allFormats, mainFormats } from '../../src/formats/main-formats.ts';
import { isModelFolder, loadModelFolder } from '../../src/formats/model-folder.ts';
import { errorAbout } from '../support/expect-error.ts';

const folder = (files: Record<string, unknown>) =>
  memoryFiles(
    new Map(
      Object.entries(files).map(([name, json]) => [
        `m/${name}`,
        new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json)),
      ]),
    ),
  );

it('has each name once, and an explanation of each format', () => {
  const names = allFormats(features.formats).flatMap((format) => format.names);
  expect(new Set(names).size).toBe(names.length);
  expect(allFormats(features.formats).filter(({ title }) => title === '')).toEqual([]);
});

it('has one format for a config.json at most', () => {
  const configs = [
    { format: 'heddle' },
    { format: 'keras' },
    { format: 'pytorch' },
    { model_type: 'bart', d_model: 8, n_heads: 2 },
    { d_model: 8, n_heads: 2 },
    { marian: {} },
  ];
  const matches = configs.map((config) =>
    allFormats(features.formats).filter(({ isConfig }) => isConfig?.(config)),
  );
  expect(matches.map(([format]) => format?.names[0])).toEqual([
    ...['heddle', 'keras', 'pytorch', 'bart', 'pytorch', 'marian-npz'],
  ]);
  expect(matches.map(({ length }) => length)).toEqual(configs.map(() => 1));
});

it('does not know the folders of guests without their rows, and says which formats it reads', async () => {
  const marian = folder({ 'model.npz': '', 'vocab.spm': '' });
  expect(await isModelFolder(marian, 'm', [])).toBe(false);
  expect(await isModelFolder(marian, 'm', features.formats)).toBe(true);
  const pytorch = folder({ 'config.json': { format: 'pytorch' } });
  await expect(loadModelFolder(pytorch, 'm')).rejects.toThrow(
    errorAbout({
      area: 'm/config.json',
      values: [mainFormats.flatMap(({ names, read }) => (read ? names : [])).join(', ')],
    }),
  );
});
