// Copies source words for unknown tokens of a translation.
import { expect, it } from 'vitest';
import { replaceUnknown } from '../../src/decode/replace-unknown.ts';
import type { Tokenizer } from '../../src/text/tokenizers/tokenizer.ts';
import { trainBpe, trainCharacters, trainWords } from '../support/tokenizers.ts';

/** Replaces in `ids`, whose target token t attends to source token `aligned[t]`. */
function replaced(
  source: Tokenizer,
  target: Tokenizer,
  text: string,
  ids: number[],
  aligned: number[],
): string {
  const read = [...source.encode(text), source.special.end];
  const predicted = [...ids, target.special.end];
  const weights = new Float32Array(2 * predicted.length * read.length).fill(0.01);
  for (let n = 0; n < 2; n++)
    for (const [t, s] of aligned.entries()) weights[(n * predicted.length + t) * read.length + s] = 0.9;
  return replaceUnknown(source, target, text, ids, {
    layers: 1,
    heads: 2,
    source: read,
    target: predicted,
    weights,
  });
}

it('copies the aligned source word, known there or not', () => {
  const source = trainWords(['I live in .'], { size: 20 });
  const target = trainWords(['vivo en .'], { size: 20 });
  const ids = target.encode('vivo en Xanadu .');
  expect(target.decode(ids)).toBe('vivo en [UNK] .');
  expect(replaced(source, target, 'I live in Xanadu.', ids, [1, 2, 3, 4])).toBe('vivo en Xanadu .');
  expect(replaced(source, target, 'I live in Xanadu.', [3, 3], [1, 3])).toBe('live Xanadu');
});

it('copies a whole word for a word with an unknown part, and keeps punctuation', () => {
  const source = trainBpe(['we saw him in town'], { size: 60 });
  const target = trainBpe(['lo vimos , en la ciudad'], { size: 60 });
  const ids = target.encode('vimos Köb, en');
  const tokens = ids.map((id) => (id === target.special.unknown ? '?' : target.token(id)));
  const text = 'we saw Köb in town';
  const from = source.pieces?.(text).findIndex((piece) => piece.includes('K')) ?? 0;
  const aligned = tokens.map((token) => (token === '?' ? from : 0));
  expect(target.decode(ids)).toContain('[UNK]');
  expect(replaced(source, target, text, ids, aligned)).toBe('vimos Köb, en');
});

it('keeps the spaces between words of a character tokenizer', () => {
  const [source, target] = [trainCharacters(['a b']), trainCharacters(['xy z'])];
  const ids = target.encode('xy Q z');
  expect(replaced(source, target, 'a Q', ids, [0, 0, 0, 2, 0, 0])).toBe('xy Q z');
});

it('gives the text of each token, unknown ones included', () => {
  for (const train of [trainWords, trainBpe, trainCharacters]) {
    const tokenizer = train(['the cat sat .'], { size: 40 });
    const pieces = tokenizer.pieces?.('the dög sat.') ?? [];
    expect(pieces).toHaveLength(tokenizer.encode('the dög sat.').length);
    expect(pieces.join('').replaceAll('▁', ' ').trim()).toBe('the dög sat.');
  }
});
