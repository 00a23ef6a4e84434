// Kept choices of kernels: what is found again, and what is ignored.

import { describe, expect, it } from 'vitest';
import { keptChoices, sessionChoices } from '../../src/jobs/choice-store.ts';

/** A place in memory whose text a test can see and spoil. */
function memory(text?: string) {
  const place = {
    text,
    read: async () => place.text,
    async write(next: string) {
      place.text = next;
    },
  };
  return place;
}

describe('keptChoices', () => {
  it('finds again what it was given, by adapter, and adds to it', async () => {
    const place = memory();
    await keptChoices(place).save('a', { 'linear 1': 'tiled' });
    await keptChoices(place).save('a', { 'linear 2': 'registers' });
    await keptChoices(place).save('b', { 'linear 1': 'naive' });
    expect(await keptChoices(place).load('a')).toEqual({ 'linear 1': 'tiled', 'linear 2': 'registers' });
    expect(await keptChoices(place).load('b')).toEqual({ 'linear 1': 'naive' });
    expect(await keptChoices(place).load('c')).toEqual({});
  });

  for (const text of ['', '{', 'null', '[]', '{"version":1}', '{"version":2,"shaders":"x","adapters":{"a":{"k":"v"}}}'])
    it(`knows nothing where it reads ${text || 'an empty text'}, and writes anew`, async () => {
      const place = memory(text);
      expect(await keptChoices(place).load('a')).toEqual({});
      await keptChoices(place).save('a', { k: 'v' });
      expect(await keptChoices(place).load('a')).toEqual({ k: 'v' });
    });

  it('ignores what was measured with other shaders', async () => {
    const place = memory();
    await keptChoices(place).save('a', { k: 'v' });
    place.text = place.text?.replace(/"shaders":"[^"]*"/, '"shaders":"00000000"');
    expect(await keptChoices(place).load('a')).toEqual({});
  });

  it('ignores entries that are not names of variants', async () => {
    const place = memory();
    await keptChoices(place).save('a', { k: 'v' });
    place.text = place.text?.replace('"k":"v"', '"k":"v","bad":7');
    expect(await keptChoices(place).load('a')).toEqual({ k: 'v' });
  });

  it('lives with a place that can be neither read nor written', async () => {
    const broken = keptChoices({
      read: () => Promise.reject(new Error('no')),
      write: () => Promise.reject(new Error('no')),
    });
    await broken.save('a', { k: 'v' });
    expect(await broken.load('a')).toEqual({});
  });
});

it('keeps choices for a session', async () => {
  const store = sessionChoices();
  await store.save('a', { k: 'v' });
  expect(await store.load('a')).toEqual({ k: 'v' });
});
