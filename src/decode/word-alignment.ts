// The words of a text and of its translation that belong together, from cross-attention: for each word of the
// translation the source word with the largest attention. Loaded only by calls that ask for it.

import { SPACE_MARK } from '../text/tokenizers/normalization.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import type { Attention } from './alignment.ts';

/** Words that belong together, `[source, target]`, each counted from 0 among the words between spaces. */
export type WordAlignment = readonly (readonly [source: number, target: number])[];

const withoutSpaces = (text: string): string => text.replaceAll(SPACE_MARK, ' ').replace(/\s+/gu, '');

/**
 * The word of each token, by the characters that are not spaces: the tokens of a text have the same ones as the text,
 * except for characters that its tokenizer changes, such as unknown ones. `pieces`: the texts of the tokens.
 */
function wordsOfTokens(pieces: readonly string[], text: string): number[] {
  const words = text.split(/\s+/u).filter((word) => word !== '');
  const ends: number[] = [];
  for (const word of words) ends.push((ends.at(-1) ?? 0) + word.length);
  const total = pieces.reduce((n, piece) => n + withoutSpaces(piece).length, 0);
  const scale = total === 0 ? 1 : (ends.at(-1) ?? 0) / total;
  let at = 0;
  return pieces.map((piece) => {
    const { length } = withoutSpaces(piece);
    const middle = (at + length / 2) * scale;
    at += length;
    const word = ends.findIndex((end) => middle < end);
    return word < 0 ? Math.max(0, words.length - 1) : word;
  });
}

/** The text that each token adds to those before it. */
function addedTexts(tokenizer: Tokenizer, ids: readonly number[]): string[] {
  let before = 0;
  return ids.map((_, i) => {
    const text = withoutSpaces(tokenizer.decode(ids.slice(0, i + 1)));
    const added = text.slice(before);
    before = Math.max(before, text.length);
    return added;
  });
}

/**
 * The alignment of a text and its translation `ids`, in the order of the source. The attention is that of the last
 * layer but one, averaged over its heads (Garg et al., 2019, "Jointly Learning to Align and Translate with
 * Transformer Models"); of the only layer if there is one.
 */
export function wordAlignment(
  source: Tokenizer,
  target: Tokenizer,
  text: string,
  translation: { readonly ids: readonly number[]; readonly text: string },
  { layers, heads, source: sourceIds, target: predicted, weights }: Attention<number>,
): WordAlignment {
  const ids = translation.ids.slice(0, predicted.length);
  const own = sourceIds.slice(0, -1); // without the end token
  const pieces = source.pieces?.(text) ?? addedTexts(source, own);
  const from = wordsOfTokens(pieces.slice(0, own.length), text);
  const to = wordsOfTokens(addedTexts(target, ids), translation.text);
  const layer = Math.max(0, layers - 2);
  const masses = new Map<number, Map<number, number>>();
  for (const [t, word] of to.entries()) {
    const mass = masses.get(word) ?? new Map<number, number>();
    masses.set(word, mass);
    for (let h = 0; h < heads; h++)
      for (const [s, w] of from.entries()) {
        const weight = weights[((layer * heads + h) * predicted.length + t) * sourceIds.length + s] as number;
        mass.set(w, (mass.get(w) ?? 0) + weight);
      }
  }
  return [...masses]
    .flatMap(([word, mass]) => {
      const best = [...mass].sort(([v, a], [w, b]) => b - a || v - w)[0];
      return best ? [[best[0], word] as const] : [];
    })
    .sort(([a, b], [c, d]) => a - c || b - d);
}
