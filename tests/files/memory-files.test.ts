// Files in memory: folders by their paths, with and without a slash at the end, and the whole by '.'.
import { expect, it } from 'vitest';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { errorAbout } from '../support/expect-error.ts';

const bytes = new Uint8Array([1]);

it('lists and moves folders as a disk does', async () => {
  const files = memoryFiles(new Map([['a/b/c', bytes]]));
  await files.write('a/d', bytes);
  await files.write('e', bytes);
  expect(await Promise.all(['.', 'a', 'a/', 'a/b/'].map((folder) => files.list(folder)))).toEqual([
    ['a', 'e'],
    ['b', 'd'],
    ['b', 'd'],
    ['c'],
  ]);
  await files.rename('a/b', 'f');
  expect(await Promise.all(['.', 'a/'].map((folder) => files.list(folder)))).toEqual([
    ['a', 'e', 'f'],
    ['d'],
  ]);
  await expect(files.list('a/b')).rejects.toThrow(errorAbout({ kind: 'not-found', area: 'a/b' }));
  await files.remove('a');
  expect([await files.exists('a/'), await files.exists('.')]).toEqual([false, true]);
});
