// Tokenizers of characters by id, and of plain ids.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createCharacterTokenizer,
  createIdTokenizer,
} from '../../../src/text/tokenizers/character-tokenizer.ts';
import { errorAbout } from '../../support/expect-error.ts';

const special = { pad: 0, start: 1, end: 2, unknown: 3 };

describe('a list of characters', () => {
  const letters = createCharacterTokenizer({ characters: '______abc𝄞ˈ', size: 14, special, begin: 1 });

  it('gives each character its id, but not placeholders at special ids', () => {
    expect(letters.encode('cab𝄞ˈ')).toEqual([1, 8, 6, 7, 9, 10]);
    expect(letters.encode('_z')).toEqual([1, 3, 3]);
    expect(letters.decode([1, 8, 3, 6, 2, 0, 12])).toBe('ca');
    expect([0, 1, 2, 3, 6, 12].map(letters.token)).toEqual([
      '[PAD]',
      '[start]',
      '[end]',
      '[UNK]',
      'a',
      '[unused12]',
    ]);
  });

  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...'abc𝄞ˈ')), (some) => {
        expect(letters.decode(letters.encode(some.join('')))).toBe(some.join(''));
      }),
    );
  });

  it('is rejected if a character occurs twice or there are too many', () => {
    expect(() => createCharacterTokenizer({ characters: '____aba', size: 9, special })).toThrow(
      errorAbout({ area: 'alphabet', values: ['a', 4, 6] }),
    );
    expect(() => createCharacterTokenizer({ characters: 'abcde', size: 4, special })).toThrow(
      errorAbout({ area: 'alphabet', values: [5, 4] }),
    );
    expect(() => letters.decode([14])).toThrow(errorAbout({ area: 'tokenizer', values: [14, 13] }));
  });
});

describe('ids', () => {
  it('round-trip, without special ids', () => {
    const ids = createIdTokenizer(100, special);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 3, max: 99 })), (some) => {
        expect(ids.encode(some.join(' '))).toEqual(some);
        expect(ids.decode([1, ...some, 2, 0])).toBe(some.join(' '));
      }),
    );
    expect(() => ids.encode('5 100')).toThrow(errorAbout({ values: ['100', 100] }));
    expect(ids.toJSON().model).toMatchObject({ type: 'WordLevel', unk_token: '3' });
  });
});
