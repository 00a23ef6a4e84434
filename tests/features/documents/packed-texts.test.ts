// Texts in blocks, found by a hash table: as a Map.
import { expect, it } from 'vitest';
import { random as randomOf } from '../../../src/core/random.ts';
import { hashOf, PackedTexts } from '../../../src/features/documents/packed-texts.ts';

it('is a map of texts, with entries in the order of their first addition', () => {
  const random = randomOf(3);
  const texts = new PackedTexts();
  const expected = new Map<string, string>();
  for (let i = 0; i < 8000; i++) {
    const key = random.pick(['é', '木 ', 'a', '🙂', '']) + random.int(4000);
    const value = `${random.pick(['', 'ñ', '\n'])}${i}`;
    const isNew = !expected.has(key);
    expected.set(key, value);
    expect(texts.set(key, value).isNew).toBe(isNew);
  }
  expect(texts.length).toBe(expected.size);
  for (const [i, [key, value]] of [...expected].entries()) {
    if (texts.indexOf(key) !== i) expect.unreachable(key);
    expect([texts.key(i), texts.value(i)]).toEqual([key, value]);
  }
  expect(texts.indexOf('none')).toBe(-1);
});

it('takes texts larger than a block, and half surrogates', () => {
  const texts = new PackedTexts();
  const large = 'ä'.repeat(2 ** 21);
  texts.set(large, 'x');
  texts.set('b\ud800', large);
  texts.set('', '');
  expect([texts.value(0), texts.value(texts.indexOf('b\ud800')).length, texts.indexOf('')]).toEqual([
    'x',
    large.length,
    2,
  ]);
});

it('hashes to 31 bits', () => {
  expect(hashOf('a')).not.toBe(hashOf('b'));
  for (const text of ['', 'tree', '\uffff']) expect(hashOf(text) >>> 31).toBe(0);
});
