// Stored kernel choices: which are used, and which are ignored.

import { describe, expect, it } from 'vitest';
import { readText, writeText } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { KernelStore } from '../../src/session/kernel-store.ts';

/** A store in memory, whose file a test can read and damage. */
function memory() {
  const files = memoryFiles();
  const read = () => readText(files, 'kernels.json');
  const write = (next: string) => writeText(files, 'kernels.json', next);
  return Object.assign(new KernelStore(files, 'kernels.json'), { readFile: read, writeFile: write });
}

const nothing = { measured: {}, guessed: {}, dropped: {} };
const won = (measured: Record<string, string>) => ({ ...nothing, measured });

describe('a kernel store', () => {
  it('returns the stored choices of an adapter, and adds to them', async () => {
    const store = memory();
    await store.save('a', won({ 'linear 1': 'tiled' }));
    await store.save('a', {
      measured: { 'linear 2': 'registers' },
      guessed: { 'linear 3': 'tiled' },
      dropped: { 'linear dots': 'it is wrong' },
    });
    await store.save('b', won({ 'linear 1': 'naive' }));
    expect(await store.load('a')).toEqual({
      measured: { 'linear 1': 'tiled', 'linear 2': 'registers' },
      guessed: { 'linear 3': 'tiled' },
      dropped: { 'linear dots': 'it is wrong' },
    });
    expect(await store.load('b')).toEqual(won({ 'linear 1': 'naive' }));
    expect(await store.load('c')).toEqual(nothing);
  });

  it('replaces a guess by a measurement, and never a measurement by a guess', async () => {
    const store = memory();
    const guess = { ...nothing, guessed: { k: 'first' } };
    await store.save('a', guess);
    expect(await store.load('a')).toEqual(guess);
    await store.save('a', won({ k: 'best' }));
    await store.save('a', guess);
    expect(await store.load('a')).toEqual(won({ k: 'best' }));
  });

  for (const text of [
    '',
    '{',
    'no JSON',
    'null',
    '[]',
    '7',
    '{"version":3}',
    '{"version":4,"adapters":{"a":{"k":"v"}}}',
  ])
    it(`is empty if it reads ${text || 'an empty text'}, and is then overwritten`, async () => {
      const store = memory();
      await store.writeFile(text);
      expect(await store.load('a')).toEqual(nothing);
      await store.save('a', won({ k: 'v' }));
      expect(await store.load('a')).toEqual(won({ k: 'v' }));
    });

  it('ignores the version whose choices were never checked on the adapter, and what was measured with other shaders', async () => {
    const store = memory();
    await store.save('a', won({ k: 'v' }));
    const text = await store.readFile();
    await store.writeFile(text.replace('"version":3', '"version":2').replace(',"dropped":{}', ''));
    expect(await store.readFile()).toMatch(
      /"version":2.*"adapters":\{"a":\{"measured":\{"k":"v"\},"guessed":\{\}\}\}/,
    );
    expect(await store.load('a')).toEqual(nothing);
    await store.writeFile(text.replace(/"shaders":"[^"]*"/, '"shaders":"00000000"'));
    expect(await store.load('a')).toEqual(nothing);
  });

  for (const entry of [
    '"text"',
    '["x","y"]',
    '7',
    'null',
    '{"k":"v"}',
    '{"measured":"text","guessed":["x"]}',
    '{"measured":{"bad":7,"worse":["x"]},"guessed":{"bad":null}}',
  ])
    it(`drops the entry of a GPU adapter with ${entry}, and keeps the others`, async () => {
      const store = memory();
      await store.save('a', won({ k: 'v' }));
      await store.save('b', won({ k: 'w' }));
      const text = await store.readFile();
      await store.writeFile(
        text.replace('"a":{"measured":{"k":"v"},"guessed":{},"dropped":{}}', `"a":${entry}`),
      );
      expect(await store.readFile()).toContain(`"a":${entry}`);
      expect(await store.load('a')).toEqual(nothing);
      await store.save('a', won({ next: 'v' }));
      expect(await store.load('a')).toEqual(won({ next: 'v' }));
      expect(await store.load('b')).toEqual(won({ k: 'w' }));
    });

  it('is empty if its file cannot be read, and rejects if it cannot be written', async () => {
    const files = {
      ...memoryFiles(),
      read: () => Promise.reject(new Error('cannot be read')),
      write: () => Promise.reject(new Error('cannot be written')),
    };
    const broken = new KernelStore(files, 'kernels.json');
    expect(await broken.load('a')).toEqual(nothing);
    await expect(broken.save('a', won({ k: 'v' }))).rejects.toThrow(new Error('cannot be written'));
  });
});
