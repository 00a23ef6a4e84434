// Alignment projection: where the codes of a source belong in a translation that was made without them, by the
// cross-attention between both.

import type { Generation } from '../../decode/text-options.ts';
import { SPACE_MARK } from '../../text/tokenizers/normalization.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import { type Span, wordSpans } from './inline/place-codes.ts';

/** Which source token each target token belongs to, with the places of both in their texts. */
export interface WordAlignment {
  readonly source: readonly Span[];
  readonly target: readonly Span[];
  /** Index of a source token for each target token; -1 if unknown. */
  readonly links: readonly number[];
  /** Length of the translation. */
  readonly length: number;
  readonly sourceLength: number;
}

/** Places of tokens in a text; a token that is not found there has no length. */
function spansOf(tokens: readonly string[], text: string): Span[] {
  const lower = text.toLowerCase();
  let at = 0;
  return tokens.map((token) => {
    const word = token.replaceAll(SPACE_MARK, ' ').trim().toLowerCase();
    const found = word === '' ? -1 : lower.indexOf(word, at);
    if (found < 0 || found > at + 8 + word.length) return { start: at, end: at };
    at = found + word.length;
    // Punctuation that belongs to the token of a word is no part of the word.
    const mark = /(?<=[\p{L}\p{N}])[.,;:!?)\]»”"]+$/u.exec(word)?.[0] ?? '';
    return { start: found, end: at - mark.length };
  });
}

/** The alignment that links words by their places in their texts. */
function byPlaces(text: string, translation: string): WordAlignment {
  const [source, target] = [wordSpans(text), wordSpans(translation)];
  const links = target.map((_, t) => Math.floor((t * source.length) / target.length));
  return { source, target, links, length: translation.length, sourceLength: text.length };
}

/** The alignment of a translation with attention; without one, words are linked by their places. */
export function alignWords(
  text: string,
  { attention, text: translation }: Generation,
  tokenizer: Tokenizer,
): WordAlignment {
  const lengths = { length: translation.length, sourceLength: text.length };
  if (!attention) return byPlaces(text, translation);
  const { source, target, layers, heads, weights } = attention;
  const [S, T] = [source.length, target.length];
  const pieces = tokenizer.pieces?.(text);
  const from = spansOf(pieces?.length === S - 1 ? pieces : source.slice(0, S - 1), text);
  const to = spansOf(target, translation);
  const links = to.map(({ start, end }, t) => {
    if (start === end) return -1;
    let [best, most] = [-1, 0];
    for (const [s, span] of from.entries()) {
      if (span.start === span.end) continue;
      let sum = 0;
      for (let n = 0; n < layers * heads; n++) sum += weights[(n * T + t) * S + s] as number;
      if (sum > most) [best, most] = [s, sum];
    }
    return best;
  });
  return { source: from, target: to, links, ...lengths };
}

/** Place in the translation of a single code at offset `at` of the source. */
export function projectPoint(
  { source, target, links, length, sourceLength }: WordAlignment,
  at: number,
): number {
  if (at <= 0) return 0;
  if (at >= sourceLength) return length;
  const before = source.findLastIndex((span) => span.end > span.start && span.end <= at);
  const after = source.findIndex((span) => span.end > span.start && span.start >= at);
  const ends = target.filter((_, t) => before >= 0 && links[t] === before).map(({ end }) => end);
  if (before >= 0 && ends.length > 0) return Math.max(...ends);
  const starts = target.filter((_, t) => after >= 0 && links[t] === after).map(({ start }) => start);
  if (after >= 0 && starts.length > 0) return Math.min(...starts);
  return wordEdge(target, Math.round((at / Math.max(1, sourceLength)) * length), length);
}

/** Place in the translation of the source from `from` to `to`: the run of tokens that belongs to it most. */
export function projectSpan(alignment: WordAlignment, from: number, to: number): Span {
  const { source, target, links } = alignment;
  const isInside = (t: number): boolean => {
    const span = source[links[t] ?? -1];
    return span !== undefined && span.start >= from && span.end <= to;
  };
  let best = { sum: 0, first: -1, last: -1 };
  let [sum, first] = [0, 0];
  for (const [t, { start, end }] of target.entries()) {
    if (start === end) continue;
    const gain = isInside(t) ? 1 : -1;
    if (sum <= 0) [sum, first] = [0, t];
    sum += gain;
    if (sum > best.sum) best = { sum, first, last: t };
  }
  const [a, b] = [target[best.first], target[best.last]];
  if (a && b) return { start: a.start, end: b.end };
  const start = projectPoint(alignment, from);
  const end = projectPoint(alignment, to);
  if (end > start) return { start, end };
  // Nothing belongs to it: the word that is there.
  const words = target.filter((span) => span.end > span.start);
  return words.find((span) => span.end > start) ?? words.at(-1) ?? { start, end: start };
}

/** The nearest end of a token, so that a code does not split a word. */
function wordEdge(target: readonly Span[], at: number, length: number): number {
  const ends = target.filter(({ start, end }) => end > start).map(({ end }) => end);
  return [0, length, ...ends].reduce((best, end) => (Math.abs(end - at) < Math.abs(best - at) ? end : best));
}

/** A letter or digit of a script that has spaces between words. */
const isLetter = (c: string | undefined): boolean =>
  c !== undefined &&
  /[\p{L}\p{M}\p{N}]/u.test(c) &&
  !/[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u.test(c);

/** Whether offset `at` is inside of a word. */
export const isInWord = (text: string, at: number): boolean => isLetter(text[at - 1]) && isLetter(text[at]);

/** An offset of a text, moved out of a word: to its start, and behind a space there, or to its end. */
export function outOfWord(text: string, at: number, toStart: boolean): number {
  let edge = at;
  while (isInWord(text, edge)) edge += toStart ? -1 : 1;
  return toStart && edge > 0 && text[edge] === ' ' && isLetter(text[edge + 1]) ? edge + 1 : edge;
}
