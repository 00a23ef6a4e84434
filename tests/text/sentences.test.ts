// Splits a text into sentences and joins their translations.
import { describe, expect, it } from 'vitest';
import { splitSentences } from '../../src/text/sentences.ts';

describe('splitSentences', () => {
  it.each([
    ['Good morning. How are you?\n\nFine!  3.5 km.', ['Good morning.', 'How are you?', 'Fine!', '3.5 km.']],
    ['你好。再见！', ['你好。', '再见！']],
    ['  one line\nanother ', ['one line', 'another']],
    ['', []],
    [' \n ', []],
  ])('splits %j', (text, sentences) => {
    expect(splitSentences(text).sentences).toEqual(sentences);
  });

  it('joins translations with the white space of the text, or a space', () => {
    expect(splitSentences('Good. How?\n\nFine!  Yes.').join(['a', 'b', 'c', 'd'])).toBe('a b\n\nc  d');
    expect(splitSentences('你好。再见！').join(['Hello.', 'Bye!'])).toBe('Hello. Bye!');
    expect(splitSentences('').join([])).toBe('');
  });
});
