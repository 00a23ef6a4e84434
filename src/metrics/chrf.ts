// chrF (Popović, 2015) and chrF++ (2017), computed as sacreBLEU 2 computes them: an F-score of character n-grams, and of words by
// option, whose counts are summed over the corpus before anything is divided.

import { check } from '../core/errors.ts';
import {
  countAll,
  countMatches,
  countNgrams,
  countReferences,
  givenReferences,
  type References,
  splitWords,
} from './ngrams.ts';

/** Settings; the defaults are sacreBLEU's, and give chrF2. */
export interface ChrfOptions {
  /** Longest character n-grams; default 6. */
  readonly charOrder?: number;
  /** Longest word n-grams; default 0, and 2 for chrF++. */
  readonly wordOrder?: number;
  /** How much more recall counts than precision; default 2. */
  readonly beta?: number;
  /** Whether case is dropped; default false. */
  readonly lowercase?: boolean;
  /** Whether n-grams of characters hold spaces too; default false. */
  readonly whitespace?: boolean;
  /**
   * Instead of one F-score of the mean precision and recall over the orders that both sides have, the mean of all orders' F-scores,
   * with a tiny number for what is lacking, as chrF++.py does; default false.
   */
  readonly epsSmoothing?: boolean;
}

/** A score and its settings. */
export interface ChrfScore {
  /** `chrF2`, `chrF2++`. */
  readonly name: string;
  /** From 0 to 100. */
  readonly score: number;
  /** The settings as sacreBLEU writes them: `nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no`; the version, its own, is left out. */
  readonly signature: string;
}

/** Counts of one order: n-grams of the translation, of the reference, and in both. */
type Counts = readonly [translation: number, reference: number, both: number];

const eps = 1e-16;
const punctuation = new Set('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~');

/** chrF of a corpus; of several references the one with the best score counts, sentence by sentence. */
export function corpusChrf(
  translations: readonly string[],
  references: References,
  options: ChrfOptions = {},
): ChrfScore {
  const {
    charOrder = 6,
    wordOrder = 0,
    beta = 2,
    lowercase = false,
    whitespace = false,
    epsSmoothing = false,
  } = options;
  for (const [name, order, least] of [
    ['charOrder', charOrder, 1],
    ['wordOrder', wordOrder, 0],
  ] as const)
    check(
      Number.isInteger(order) && order >= least,
      `chrf: ${name} is ${order}, it must be a whole number of at least ${least}`,
    );
  const given = givenReferences('chrf', translations, references);
  const ngrams = (line: string): Map<string, number>[] => {
    const text = lowercase ? line.toLowerCase() : line;
    const characters = Array.from(whitespace ? text : splitWords(text).join(''));
    const words = wordOrder > 0 ? wordsApart(text) : [];
    return [
      ...Array.from({ length: charOrder }, (_, i) => countNgrams(characters, i + 1, '')),
      ...Array.from({ length: wordOrder }, (_, i) => countNgrams(words, i + 1, ' ')),
    ];
  };
  const score = (counts: readonly Counts[]) => fScore(counts, beta, epsSmoothing);
  let sums: Counts[] = Array.from({ length: charOrder + wordOrder }, () => [0, 0, 0]);
  for (const [i, translation] of translations.entries()) {
    const found = ngrams(translation);
    const [first, ...others] = (given[i] ?? []).map((reference) => countsOf(found, ngrams(reference)));
    const best = others.reduce((a, b) => (score(b) > score(a) ? b : a), first as Counts[]);
    sums = sums.map((sum, k) => add(sum, best[k] as Counts));
  }
  const signature = [
    `nrefs:${countReferences(given)}`,
    `case:${lowercase ? 'lc' : 'mixed'}`,
    `eff:${epsSmoothing ? 'no' : 'yes'}`,
    `nc:${charOrder}`,
    `nw:${wordOrder}`,
    `space:${whitespace ? 'yes' : 'no'}`,
  ].join('|');
  return { name: `chrF${beta}${'+'.repeat(wordOrder)}`, score: score(sums), signature };
}

/** chrF of one sentence. Throws a HeddleError where there is no reference. */
export const sentenceChrf = (
  translation: string,
  references: readonly string[],
  options: ChrfOptions = {},
): ChrfScore => corpusChrf([translation], [references], options);

const add = (a: Counts, b: Counts): Counts => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];

/** Counts by order. Where the reference is too short for an order, the translation's n-grams of it do not count either. */
const countsOf = (found: readonly Map<string, number>[], wanted: readonly Map<string, number>[]): Counts[] =>
  found.map((counts, k) => {
    const reference = wanted[k] ?? new Map<string, number>();
    return [reference.size > 0 ? countAll(counts) : 0, countAll(reference), countMatches(counts, reference)];
  });

/** F-score of counts by order, from 0 to 100. */
function fScore(counts: readonly Counts[], beta: number, epsSmoothing: boolean): number {
  const factor = beta ** 2;
  const f = (precision: number, recall: number) => ((1 + factor) * precision * recall) / (factor * precision + recall);
  if (epsSmoothing) {
    const scores = counts.map(([all, wanted, both]) => {
      const precision = all > 0 ? both / all : eps;
      const recall = wanted > 0 ? both / wanted : eps;
      return factor * precision + recall > 0 ? f(precision, recall) : eps;
    });
    return (100 * scores.reduce((sum, x) => sum + x, 0)) / scores.length;
  }
  const both = counts.filter(([all, wanted]) => all > 0 && wanted > 0);
  const mean = (part: (c: Counts) => number) => both.reduce((sum, c) => sum + part(c), 0) / Math.max(1, both.length);
  const precision = mean(([all, , match]) => match / all);
  const recall = mean(([, wanted, match]) => match / wanted);
  return precision + recall > 0 ? 100 * f(precision, recall) : 0;
}

/** Words with one mark of ASCII's punctuation apart, the last or else the first: `(hi)` is `(hi` and `)`, as in chrF++.py. */
const wordsApart = (text: string): string[] =>
  splitWords(text).flatMap((word) => {
    const characters = Array.from(word);
    if (characters.length === 1) return [word];
    if (punctuation.has(characters.at(-1) as string)) return [word.slice(0, -1), word.slice(-1)];
    return punctuation.has(characters[0] as string) ? [word.slice(0, 1), word.slice(1)] : [word];
  });
