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

  it('splits a long text as a short one', () => {
    const sentences = ['A word.', 'Is it 3.5 km?', 'Yes, e.g. this (or that).', '“Quoted.”', 'Ende! 你好。'];
    const paragraph = Array.from({ length: 3000 }, (_, i) => sentences[(i * i) % 5]).join(' ');
    const short = splitSentences(paragraph.slice(0, 3000)).sentences;
    const { sentences: all, join } = splitSentences(paragraph);
    expect(all.slice(0, short.length - 1)).toEqual(short.slice(0, -1));
    expect(join(all)).toBe(paragraph.replaceAll('。 ', '。 '));
    expect(new Set(all.slice(0, -1))).toEqual(new Set(short.slice(0, -1)));
    // One sentence, longer than the parts in which the text is searched; with characters of two code units.
    const long = 'word 😀'.repeat(5000);
    expect(splitSentences(long).sentences).toEqual([long]);
  });

  it('joins translations with the white space of the text, or a space', () => {
    expect(splitSentences('Good. How?\n\nFine!  Yes.').join(['a', 'b', 'c', 'd'])).toBe('a b\n\nc  d');
    expect(splitSentences('你好。再见！').join(['Hello.', 'Bye!'])).toBe('Hello. Bye!');
    expect(splitSentences('').join([])).toBe('');
  });
});
