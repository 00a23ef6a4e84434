// BLEU (Papineni et al., 2002, "BLEU: a method for automatic evaluation of machine translation"). Scores
// equal those of sacreBLEU (Post, 2018), with its 13a tokenizer.

import { check } from '../../core/errors.ts';
import { checkNames } from '../../core/fields.ts';
import { listed, msg } from '../../core/message.ts';
import {
  countAll,
  countMatches,
  countNgrams,
  countReferences,
  givenReferences,
  type References,
  type SentenceStatistics,
  splitWords,
  sumsOf,
  trimEnd,
} from './ngrams.ts';

/**
 * Smoothing of zero precisions (Chen and Cherry, 2014): `exp` halves the precision for each zero order,
 * `floor` replaces a zero count by a small value, `add-k` adds k to all counts above order 1, `none` does not
 * smooth.
 */
export type Smoothing = 'exp' | 'floor' | 'add-k' | 'none';

/** Options of BLEU. The defaults are those of sacreBLEU. */
export interface BleuOptions {
  /** Default `exp`. */
  readonly smoothing?: Smoothing;
  /** Value of `floor` (default 0.1) or `add-k` (default 1). */
  readonly smoothingValue?: number;
  /** Whether to ignore case. Default false. */
  readonly lowercase?: boolean;
  /** `13a` (default), `none` for texts that are tokenized already, `char` for single characters. */
  readonly tokenize?: '13a' | 'none' | 'char';
  /** Maximum n-gram order. Default 4. */
  readonly order?: number;
  /**
   * Whether to skip orders for which a text is too short. Default false for a corpus, true for a sentence.
   */
  readonly effectiveOrder?: boolean;
}

/** A BLEU score and its components. Lists are by n-gram order, from 1. */
export interface BleuScore {
  /** From 0 to 100. */
  readonly score: number;
  /** Smoothed precisions, from 0 to 100. */
  readonly precisions: readonly number[];
  /** Number of n-grams that match a reference. */
  readonly counts: readonly number[];
  /** Number of all n-grams of the translations. */
  readonly totals: readonly number[];
  /** Factor for translations that are shorter than the references; 1: they are not. */
  readonly brevityPenalty: number;
  /** Number of tokens of the translations. */
  readonly length: number;
  /** Number of tokens of the references that are closest in length. */
  readonly referenceLength: number;
  /** sacreBLEU's signature without its version: `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp`. */
  readonly signature: string;
}

const optionNames = ['smoothing', 'smoothingValue', 'lowercase', 'tokenize', 'order', 'effectiveOrder'];

const defaultValues = { exp: undefined, floor: 0.1, 'add-k': 1, none: undefined };

/** BLEU of a corpus as counts of its sentences: length, reference length, matches and totals of each order. */
export function bleuStatistics(
  translations: readonly string[],
  references: References,
  options: BleuOptions = {},
): SentenceStatistics {
  const {
    order = 4,
    lowercase = false,
    tokenize = '13a',
    smoothing = 'exp',
    effectiveOrder = false,
  } = options;
  checkNames({ area: 'bleu' }, optionNames, Object.keys(options));
  check(Number.isInteger(order) && order >= 1, msg`order is ${order}, it must be an integer of at least 1`, {
    area: 'bleu',
  });
  check(
    smoothing in defaultValues,
    msg`smoothing ${smoothing} is not one of ${listed(Object.keys(defaultValues))}`,
    { area: 'bleu' },
  );
  const given = givenReferences('bleu', translations, references);
  const tokens = (text: string): string[] => {
    const line = trimEnd(lowercase ? text.toLowerCase() : text);
    if (tokenize === 'char') return splitWords(Array.from(line).join(' '));
    return tokenize === 'none' ? splitWords(line) : tokenize13a(line);
  };
  const rows = translations.map((translation, i) => {
    const words = tokens(translation);
    const referenceTokens = (given[i] ?? []).map(tokens);
    const [counts, totals]: [number[], number[]] = [[], []];
    for (let n = 1; n <= order; n++) {
      const ngrams = countNgrams(words, n, ' ');
      counts.push(countMatches(ngrams, maxCounts(referenceTokens, n)));
      totals.push(countAll(ngrams));
    }
    const closest = closestLength(
      words.length,
      referenceTokens.map((reference) => reference.length),
    );
    return [words.length, closest, ...counts, ...totals];
  });
  const value = options.smoothingValue ?? defaultValues[smoothing];
  const signature = [
    `nrefs:${countReferences(given)}`,
    `case:${lowercase ? 'lc' : 'mixed'}`,
    `eff:${effectiveOrder ? 'yes' : 'no'}`,
    `tok:${tokenize}`,
    `smooth:${smoothing}${defaultValues[smoothing] === undefined ? '' : `[${value?.toFixed(2)}]`}`,
  ].join('|');
  const score = (sums: readonly number[]) =>
    bleuFromCounts(countsIn(sums, order), smoothing, value, effectiveOrder).score;
  return { name: 'BLEU', signature, rows, score };
}

/** The counts in a row, or in sums of rows. */
const countsIn = (sums: readonly number[], order: number) => ({
  counts: sums.slice(2, 2 + order),
  totals: sums.slice(2 + order),
  length: sums[0] ?? 0,
  referenceLength: sums[1] ?? 0,
});

/**
 * BLEU of a corpus, with one or more references per translation. Throws a HeddleError if the lists differ in
 * length, a sentence has no reference, or an option is invalid.
 *
 * @example
 * const { score, signature } = corpusBleu(['the cat sat'], [['the cat sat', 'a cat was sitting']]);
 */
export function corpusBleu(
  translations: readonly string[],
  references: References,
  options: BleuOptions = {},
): BleuScore {
  const { order = 4, smoothing = 'exp', effectiveOrder = false } = options;
  const { rows, signature } = bleuStatistics(translations, references, options);
  const all = countsIn(sumsOf(rows), order);
  const value = options.smoothingValue ?? defaultValues[smoothing];
  return { ...all, ...bleuFromCounts(all, smoothing, value, effectiveOrder), signature };
}

/**
 * BLEU of one sentence; `effectiveOrder` defaults to true. Throws a HeddleError if there is no reference.
 *
 * @example
 * sentenceBleu('the cat sat', ['the cat sat']).score; // 100
 */
export const sentenceBleu = (
  translation: string,
  references: readonly string[],
  options: BleuOptions = {},
): BleuScore => corpusBleu([translation], [references], { effectiveOrder: true, ...options });

/**
 * The score of given statistics; 0 if no n-gram matches, with any smoothing. `value` is the smoothing value.
 */
export function bleuFromCounts(
  {
    counts,
    totals,
    length,
    referenceLength,
  }: Pick<BleuScore, 'counts' | 'totals' | 'length' | 'referenceLength'>,
  smoothing: Smoothing = 'none',
  value: number = defaultValues[smoothing] ?? 0,
  effectiveOrder = false,
): Pick<BleuScore, 'score' | 'precisions' | 'brevityPenalty'> {
  const brevityPenalty =
    length >= referenceLength ? 1 : length > 0 ? Math.exp(1 - referenceLength / length) : 0;
  const precisions: number[] = counts.map(() => 0);
  if (counts.every((count) => count === 0)) return { score: 0, precisions, brevityPenalty };
  let halves = 1;
  let orders = counts.length;
  for (let i = 0; i < counts.length; i++) {
    const added = smoothing === 'add-k' && i > 0 ? value : 0;
    const count = (counts[i] ?? 0) + added;
    const total = (totals[i] ?? 0) + added;
    if (total === 0) break;
    if (effectiveOrder) orders = i + 1;
    if (count > 0) precisions[i] = (100 * count) / total;
    else if (smoothing === 'floor') precisions[i] = (100 * value) / total;
    else if (smoothing === 'exp') {
      halves *= 2;
      precisions[i] = 100 / (halves * total);
    }
  }
  // A precision of 0 has the logarithm -Infinity, and the score is 0.
  const logs = precisions.slice(0, orders).reduce((sum, precision) => sum + Math.log(precision / 100), 0);
  return { score: 100 * brevityPenalty * Math.exp(logs / orders), precisions, brevityPenalty };
}

/** For each n-gram its maximum count in any reference. */
function maxCounts(references: readonly (readonly string[])[], n: number): Map<string, number> {
  const max = countNgrams(references[0] ?? [], n, ' ');
  for (const reference of references.slice(1))
    for (const [key, count] of countNgrams(reference, n, ' '))
      max.set(key, Math.max(max.get(key) ?? 0, count));
  return max;
}

/** The length closest to `length`; the shorter one on ties. */
const closestLength = (length: number, lengths: readonly number[]): number =>
  lengths.reduce((best, other) => {
    const closer = Math.abs(other - length) - Math.abs(best - length);
    return closer < 0 || (closer === 0 && other < best) ? other : best;
  });

const entities: readonly (readonly [string, string])[] = [
  ['<skipped>', ''],
  ['-\n', ''],
  ['\n', ' '],
  ['&quot;', '"'],
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
];

/**
 * Substitutions of mteval-v13a, applied in order. A match consumes its context, so order and groups matter.
 */
const rules: readonly (readonly [RegExp, string])[] = [
  // ASCII punctuation and space, except ' , - and .
  [/([{-~[-` -&(-+:-@/])/g, ' $1 '],
  // a full stop or comma, unless a digit precedes it
  [/([^0-9])([.,])/gu, '$1 $2 '],
  // a full stop or comma, unless a digit follows
  [/([.,])([^0-9])/gu, ' $1 $2'],
  // a hyphen after a digit
  [/([0-9])(-)/g, '$1 $2 '],
];

/**
 * Tokens of a text by the mteval-v13a tokenizer, sacreBLEU's default: ASCII punctuation is split off, except
 * inside numbers.
 */
export function tokenize13a(text: string): string[] {
  let line = text;
  for (const [entity, plain] of entities) line = line.replaceAll(entity, plain);
  line = ` ${line} `;
  for (const [pattern, apart] of rules) line = line.replace(pattern, apart);
  return splitWords(line);
}
