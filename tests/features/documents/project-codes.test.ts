// Places of codes in a translation: not in the middle of words, which are several tokens.
import { expect, it } from 'vitest';
import { isInWord, outOfWord } from '../../../src/features/documents/project-codes.ts';

it('moves a place out of a word, in scripts with spaces', () => {
  const text = "Ahora mencióne el campo, 10.5 l'eau";
  const at = text.indexOf('ne el');
  expect([isInWord(text, at), isInWord(text, 5), isInWord(text, 0), isInWord(text, text.length)]).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect([outOfWord(text, at, true), outOfWord(text, at, false)]).toEqual([6, 14]);
  // The space before a word stays outside of a pair around it.
  expect([outOfWord(text, 5, true), outOfWord(text, 5, false), outOfWord(text, text.length, true)]).toEqual([
    6,
    5,
    text.length,
  ]);
  expect(outOfWord('नमस्ते', 3, true)).toBe(0);
  const without = '文件系统ファイル';
  expect(outOfWord(without, 2, true)).toBe(2);
});
