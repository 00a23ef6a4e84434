// chrF (Popović, 2015, "chrF: character n-gram F-score for automatic MT evaluation") and chrF++ (Popović,
// 2017), with the scores of sacreBLEU 2: counts are summed over the corpus before precision and recall are
// computed.

import { check } from '../../core/errors.ts';
import { checkNames } from '../../core/fields.ts';
import { msg } from '../../core/message.ts';
import type { References, SentenceStatistics } from './ngrams.ts';
import {
  countAll,
  countMatches,
  countNgrams,
  countReferences,
  givenReferences,
  splitWords,
  sumsOf,
} from './ngrams.ts';

/** Options of chrF. The defaults are those of sacreBLEU and give chrF2. */
export interface ChrfOptions {
  /** Maximum character n-gram order. Default 6. */
  readonly charOrder?: number;
  /** Maximum word n-gram order. Default 0; 2 gives chrF++. */
  readonly wordOrder?: number;
  /** Weight of recall relative to precision. Default 2. */
  readonly beta?: number;
  /** Whether to ignore case. Default false. */
  readonly lowercase?: boolean;
  /** Whether character n-grams include spaces. Default false. */
  readonly whitespace?: boolean;
  /**
   * Whether to average the F-scores of all orders as chrF++.py does, with 1e-16 for missing precision or
   * recall. Default false: the F-score of mean precision and mean recall, over the orders that both sides
   * have.
   */
  readonly epsSmoothing?: boolean;
}

/** A chrF score and its settings. */
export interface ChrfScore {
  /** `chrF2`, `chrF2++`. */
  readonly name: string;
  /** From 0 to 100. */
  readonly score: number;
  /** sacreBLEU's signature without its version: `nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no`. */
  readonly signature: string;
}

/** Counts of one order: n-grams of the translation, of the reference, and matches. */
type Counts = readonly [translation: number, reference: number, matches: number];

const optionNames = ['charOrder', 'wordOrder', 'beta', 'lowercase', 'whitespace', 'epsSmoothing'];

const eps = 1e-16;
const punctuation = new Set('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~');

/** chrF of a corpus as counts of its sentences: n-grams of translation and reference, and matches, by order. */
export function chrfStatistics(
  translations: readonly string[],
  references: References,
  options: ChrfOptions = {},
): SentenceStatistics {
  const { charOrder = 6, wordOrder = 0, beta = 2 } = options;
  const { lowercase = false, whitespace = false, epsSmoothing = false } = options;
  checkNames({ area: 'chrf' }, optionNames, Object.keys(options));
  for (const [name, order, min] of [
    ['charOrder', charOrder, 1],
    ['wordOrder', wordOrder, 0],
  ] as const)
    check(
      Number.isInteger(order) && order >= min,
      msg`${name} is ${order}, it must be an integer of at least ${min}`,
      { area: 'chrf' },
    );
  const given = givenReferences('chrf', translations, references);
  const ngrams = (line: string): Map<string, number>[] => {
    const text = lowercase ? line.toLowerCase() : line;
    const characters = Array.from(whitespace ? text : splitWords(text).join(''));
    const words = wordOrder > 0 ? splitPunctuation(text) : [];
    return [
      ...Array.from({ length: charOrder }, (_, i) => countNgrams(characters, i + 1, '')),
      ...Array.from({ length: wordOrder }, (_, i) => countNgrams(words, i + 1, ' ')),
    ];
  };
  const score = (counts: readonly Counts[]) => fScore(counts, beta, epsSmoothing);
  const rows = translations.map((translation, i) => {
    const translationNgrams = ngrams(translation);
    const [first, ...others] = (given[i] ?? []).map((reference) =>
      countsOf(translationNgrams, ngrams(reference)),
    );
    return others.reduce((a, b) => (score(b) > score(a) ? b : a), first as Counts[]).flat();
  });
  const signature = [
    `nrefs:${countReferences(given)}`,
    `case:${lowercase ? 'lc' : 'mixed'}`,
    `eff:${epsSmoothing ? 'no' : 'yes'}`,
    `nc:${charOrder}`,
    `nw:${wordOrder}`,
    `space:${whitespace ? 'yes' : 'no'}`,
  ].join('|');
  const name = `chrF${beta}${'+'.repeat(wordOrder)}`;
  return { name, signature, rows, score: (sums) => score(countsByOrder(sums)) };
}

const countsByOrder = (sums: readonly number[]): Counts[] =>
  Array.from({ length: sums.length / 3 }, (_, k) => sums.slice(3 * k, 3 * k + 3) as unknown as Counts);

/**
 * chrF of a corpus. If a sentence has several references, the one with the best score counts. Throws a
 * HeddleError if the lists differ in length, a sentence has no reference, or an option is invalid.
 *
 * @example
 * corpusChrf(['the cat sat'], [['the cat is sitting']]).score; // chrF2, from 0 to 100
 */
export function corpusChrf(
  translations: readonly string[],
  references: References,
  options: ChrfOptions = {},
): ChrfScore {
  const { name, signature, rows, score } = chrfStatistics(translations, references, options);
  return { name, score: score(sumsOf(rows)), signature };
}

/** chrF of one sentence. Throws a HeddleError if there is no reference. */
export const sentenceChrf = (
  translation: string,
  references: readonly string[],
  options: ChrfOptions = {},
): ChrfScore => corpusChrf([translation], [references], options);

/**
 * Counts by order. If the reference is too short for an order, the translation's n-grams of that order do not
 * count either.
 */
const countsOf = (
  translation: readonly Map<string, number>[],
  references: readonly Map<string, number>[],
): Counts[] =>
  translation.map((counts, k) => {
    const reference = references[k] ?? new Map<string, number>();
    return [reference.size > 0 ? countAll(counts) : 0, countAll(reference), countMatches(counts, reference)];
  });

/** F-score from 0 to 100 of counts by order. */
function fScore(counts: readonly Counts[], beta: number, epsSmoothing: boolean): number {
  const factor = beta ** 2;
  const f = (precision: number, recall: number) =>
    ((1 + factor) * precision * recall) / (factor * precision + recall);
  if (epsSmoothing) {
    const scores = counts.map(([translation, reference, matches]) => {
      const precision = translation > 0 ? matches / translation : eps;
      const recall = reference > 0 ? matches / reference : eps;
      return factor * precision + recall > 0 ? f(precision, recall) : eps;
    });
    return (100 * scores.reduce((sum, x) => sum + x, 0)) / scores.length;
  }
  const both = counts.filter(([translation, reference]) => translation > 0 && reference > 0);
  const mean = (part: (c: Counts) => number) =>
    both.reduce((sum, c) => sum + part(c), 0) / Math.max(1, both.length);
  const precision = mean(([translation, , matches]) => matches / translation);
  const recall = mean(([, reference, matches]) => matches / reference);
  return precision + recall > 0 ? 100 * f(precision, recall) : 0;
}

/**
 * Words with one ASCII punctuation mark split off, the last or else the first: `(hi)` gives `(hi` and `)`, as
 * in chrF++.py.
 */
const splitPunctuation = (text: string): string[] =>
  splitWords(text).flatMap((word) => {
    const characters = Array.from(word);
    if (characters.length === 1) return [word];
    if (punctuation.has(characters.at(-1) as string)) return [word.slice(0, -1), word.slice(-1)];
    return punctuation.has(characters[0] as string) ? [word.slice(0, 1), word.slice(1)] : [word];
  });
