// Stored kernel choices: which are used, and which are ignored.

import { describe, expect, it } from 'vitest';
import { createKernelStore } from '../../src/runtime/kernel-store.ts';

/** A place in memory whose text a test can read and damage. */
function memory(text?: string) {
  const place = {
    name: 'memory',
    text,
    read: async () => place.text,
    async write(next: string) {
      place.text = next;
    },
  };
  return place;
}

const nothing = { measured: {}, guessed: {}, dropped: {} };
const won = (measured: Record<string, string>) => ({ ...nothing, measured });

describe('a kernel store', () => {
  it('returns the stored choices of an adapter, and adds to them', async () => {
    const place = memory();
    await createKernelStore(place).save('a', won({ 'linear 1': 'tiled' }));
    await createKernelStore(place).save('a', {
      measured: { 'linear 2': 'registers' },
      guessed: { 'linear 3': 'tiled' },
      dropped: { 'linear dots': 'it is wrong' },
    });
    await createKernelStore(place).save('b', won({ 'linear 1': 'naive' }));
    expect(await createKernelStore(place).load('a')).toEqual({
      measured: { 'linear 1': 'tiled', 'linear 2': 'registers' },
      guessed: { 'linear 3': 'tiled' },
      dropped: { 'linear dots': 'it is wrong' },
    });
    expect(await createKernelStore(place).load('b')).toEqual(won({ 'linear 1': 'naive' }));
    expect(await createKernelStore(place).load('c')).toEqual(nothing);
  });

  it('replaces a guess by a measurement, and never a measurement by a guess', async () => {
    const place = memory();
    const guess = { ...nothing, guessed: { k: 'first' } };
    await createKernelStore(place).save('a', guess);
    expect(await createKernelStore(place).load('a')).toEqual(guess);
    await createKernelStore(place).save('a', won({ k: 'best' }));
    await createKernelStore(place).save('a', guess);
    expect(await createKernelStore(place).load('a')).toEqual(won({ k: 'best' }));
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
      const place = memory(text);
      expect(await createKernelStore(place).load('a')).toEqual(nothing);
      await createKernelStore(place).save('a', won({ k: 'v' }));
      expect(await createKernelStore(place).load('a')).toEqual(won({ k: 'v' }));
    });

  it('ignores the version whose choices were never checked on the adapter, and what was measured with other shaders', async () => {
    const place = memory();
    await createKernelStore(place).save('a', won({ k: 'v' }));
    const text = place.text as string;
    place.text = text.replace('"version":3', '"version":2').replace(',"dropped":{}', '');
    expect(place.text).toMatch(/"version":2.*"adapters":\{"a":\{"measured":\{"k":"v"\},"guessed":\{\}\}\}/);
    expect(await createKernelStore(place).load('a')).toEqual(nothing);
    place.text = text.replace(/"shaders":"[^"]*"/, '"shaders":"00000000"');
    expect(await createKernelStore(place).load('a')).toEqual(nothing);
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
      const place = memory();
      await createKernelStore(place).save('a', won({ k: 'v' }));
      await createKernelStore(place).save('b', won({ k: 'w' }));
      place.text = place.text?.replace('"a":{"measured":{"k":"v"},"guessed":{},"dropped":{}}', `"a":${entry}`);
      expect(place.text).toContain(`"a":${entry}`);
      expect(await createKernelStore(place).load('a')).toEqual(nothing);
      await createKernelStore(place).save('a', won({ next: 'v' }));
      expect(await createKernelStore(place).load('a')).toEqual(won({ next: 'v' }));
      expect(await createKernelStore(place).load('b')).toEqual(won({ k: 'w' }));
    });

  it('is empty if its file cannot be read, and names a file that cannot be written', async () => {
    const broken = createKernelStore({
      name: 'broken',
      read: () => Promise.reject(new Error('cannot be read')),
      write: () => Promise.reject(new Error('cannot be written')),
    });
    expect(broken.place).toBe('broken');
    expect(await broken.load('a')).toEqual(nothing);
    await expect(broken.save('a', won({ k: 'v' }))).rejects.toThrow('cannot be written');
  });
});
