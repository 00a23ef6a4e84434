// Word alignments from attention.

import { expect, it } from 'vitest';
import { type WordAlignment, wordAlignment } from '../../src/decode/word-alignment.ts';
import { override } from '../support/override.ts';
import { trainBpe } from '../support/tokenizers.ts';

const tokenizer = trainBpe(['the cat sat', 'el gato se sentó', 'down'], { size: 40 });

const pharaohLine = (pairs: WordAlignment) => pairs.map((pair) => pair.join('-')).join(' ');

it('takes the source word with the largest attention for each word of the translation', () => {
  const [text, translation] = ['the cat sat', 'el gato se sentó'];
  const [source, target] = [tokenizer.encode(text), tokenizer.encode(translation)];
  const [S, T] = [source.length + 1, target.length + 1];
  // Three layers: the last but one counts. Each target word attends to its source word, `se` and `sentó` to `sat`.
  const wordOf = (ids: readonly number[], i: number) =>
    tokenizer.decode(ids.slice(0, i + 1)).split(' ').length - 1;
  const aligned = [0, 1, 2, 2];
  const weights = new Float32Array(3 * 2 * T * S).fill(0.01);
  for (const layer of [0, 1, 2])
    for (const h of [0, 1])
      for (let t = 0; t < target.length; t++)
        for (let s = 0; s < source.length; s++) {
          const wanted = layer === 1 ? aligned[wordOf(target, t)] : 0;
          if (wordOf(source, s) === wanted) weights[((layer * 2 + h) * T + t) * S + s] = 0.5;
        }
  // The end of the source has the most attention, and is no word.
  for (let row = 0; row < 6 * T; row++) weights[row * S + S - 1] = 0.9;
  const attention = { source: [...source, 2], target: [...target, 2], layers: 3, heads: 2, weights };
  const align = (t: string) =>
    wordAlignment(tokenizer, tokenizer, t, { ids: target, text: translation }, attention);
  expect(align(text)).toEqual([
    [0, 0],
    [1, 1],
    [2, 2],
    [2, 3],
  ]);
  expect(pharaohLine(align(text))).toBe('0-0 1-1 2-2 2-3');
  // Words are those between spaces of the text as given.
  expect(pharaohLine(align('  the   cat sat '))).toBe('0-0 1-1 2-2 2-3');
  const plain = override(tokenizer, { pieces: undefined });
  expect(pharaohLine(wordAlignment(plain, plain, text, { ids: target, text: translation }, attention))).toBe(
    '0-0 1-1 2-2 2-3',
  );
});
