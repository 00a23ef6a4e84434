// BLEU (Papineni et al., 2002), computed as sacreBLEU computes it (Post, 2018), so that scores can be set beside published ones.
import { check } from '../core/errors.ts';
import {
  countAll,
  countMatches,
  countNgrams,
  countReferences,
  givenReferences,
  type References,
  splitWords,
  trimEnd,
} from './ngrams.ts';

/**
 * What stands in for a precision of zero (Chen and Cherry, 2014): `exp` halves it for each such order, `floor` takes a small count
 * instead of zero, `add-k` adds to all counts above order 1, `none` leaves the score at zero.
 */
export type Smoothing = 'exp' | 'floor' | 'add-k' | 'none';

/** Settings; the defaults are sacreBLEU's. */
export interface BleuOptions {
  readonly smoothing?: Smoothing;
  /** For `floor` (default 0.1) and `add-k` (default 1). */
  readonly smoothingValue?: number;
  /** Whether case is dropped; default false. */
  readonly lowercase?: boolean;
  /** `13a` (default); `none` where the texts are tokens with spaces between; `char`: each character is a token. */
  readonly tokenize?: '13a' | 'none' | 'char';
  /** Longest n-grams; default 4. */
  readonly order?: number;
  /** Leaves out orders for which a text is too short; default false for a corpus, true for a sentence. */
  readonly effectiveOrder?: boolean;
}

/** A score with what it is made of; lists by order, from 1. */
export interface BleuScore {
  /** From 0 to 100. */
  readonly score: number;
  /** From 0 to 100 each, smoothed. */
  readonly precisions: readonly number[];
  /** N-grams that a reference has too, and all. */
  readonly counts: readonly number[];
  readonly totals: readonly number[];
  readonly brevityPenalty: number;
  /** Tokens of the translations, and of the references nearest to them in length. */
  readonly length: number;
  readonly referenceLength: number;
  /** The settings as sacreBLEU writes them: `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp`; the version, its own, is left out. */
  readonly signature: string;
}

/** What a corpus score is computed of. */
export type BleuCounts = Pick<BleuScore, 'counts' | 'totals' | 'length' | 'referenceLength'>;

const defaultValues = { exp: undefined, floor: 0.1, 'add-k': 1, none: undefined };

/** BLEU of a corpus. Throws a HeddleError where translations and references do not go together. */
export function corpusBleu(
  translations: readonly string[],
  references: References,
  options: BleuOptions = {},
): BleuScore {
  const { order = 4, lowercase = false, tokenize = '13a', smoothing = 'exp', effectiveOrder = false } = options;
  check(Number.isInteger(order) && order >= 1, `bleu: order is ${order}, it must be a whole number of at least 1`);
  check(
    smoothing in defaultValues,
    `bleu: smoothing ${smoothing} is not one of ${Object.keys(defaultValues).join(', ')}`,
  );
  const given = givenReferences('bleu', translations, references);
  const tokens = (text: string): string[] => {
    const line = trimEnd(lowercase ? text.toLowerCase() : text);
    if (tokenize === 'char') return splitWords(Array.from(line).join(' '));
    return tokenize === 'none' ? splitWords(line) : tokenize13a(line);
  };
  const counts: number[] = Array(order).fill(0);
  const totals: number[] = Array(order).fill(0);
  let [length, referenceLength] = [0, 0];
  for (const [i, translation] of translations.entries()) {
    const words = tokens(translation);
    const wanted = (given[i] ?? []).map(tokens);
    length += words.length;
    referenceLength += nearest(
      words.length,
      wanted.map((reference) => reference.length),
    );
    for (let n = 1; n <= order; n++) {
      const found = countNgrams(words, n, ' ');
      counts[n - 1] = (counts[n - 1] ?? 0) + countMatches(found, mostOf(wanted, n));
      totals[n - 1] = (totals[n - 1] ?? 0) + countAll(found);
    }
  }
  const value = options.smoothingValue ?? defaultValues[smoothing];
  const signature = [
    `nrefs:${countReferences(given)}`,
    `case:${lowercase ? 'lc' : 'mixed'}`,
    `eff:${effectiveOrder ? 'yes' : 'no'}`,
    `tok:${tokenize}`,
    `smooth:${smoothing}${defaultValues[smoothing] === undefined ? '' : `[${value?.toFixed(2)}]`}`,
  ].join('|');
  const all = { counts, totals, length, referenceLength };
  return { ...all, ...bleuFromCounts(all, smoothing, value, effectiveOrder), signature };
}

/** BLEU of one sentence, with effective order unless said otherwise. Throws a HeddleError where there is no reference. */
export const sentenceBleu = (
  translation: string,
  references: readonly string[],
  options: BleuOptions = {},
): BleuScore => corpusBleu([translation], [references], { effectiveOrder: true, ...options });

/** The score of counts; without any match it is 0, whatever the smoothing. `value` is what `floor` and `add-k` take. */
export function bleuFromCounts(
  { counts, totals, length, referenceLength }: BleuCounts,
  smoothing: Smoothing = 'none',
  value: number = defaultValues[smoothing] ?? 0,
  effectiveOrder = false,
): Pick<BleuScore, 'score' | 'precisions' | 'brevityPenalty'> {
  const brevityPenalty = length >= referenceLength ? 1 : length > 0 ? Math.exp(1 - referenceLength / length) : 0;
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
  const logs = precisions.slice(0, orders).reduce((sum, precision) => sum + Math.log(precision), 0);
  return { score: brevityPenalty * Math.exp(logs / orders), precisions, brevityPenalty };
}

/** Of several references each n-gram as often as in the one that has most of it. */
function mostOf(references: readonly (readonly string[])[], n: number): Map<string, number> {
  const most = countNgrams(references[0] ?? [], n, ' ');
  for (const reference of references.slice(1))
    for (const [key, count] of countNgrams(reference, n, ' ')) most.set(key, Math.max(most.get(key) ?? 0, count));
  return most;
}

/** The length nearest to `length`; of two equally near the shorter. */
const nearest = (length: number, lengths: readonly number[]): number =>
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

/** Each in turn over the whole text; a match takes what it looked at with it, so the order and the groups matter. */
const rules: readonly (readonly [RegExp, string])[] = [
  // ASCII's punctuation and space, without ' , - and .
  [/([{-~[-` -&(-+:-@/])/g, ' $1 '],
  // a full stop or comma, unless a digit stands before it
  [/([^0-9])([.,])/gu, '$1 $2 '],
  // a full stop or comma, unless a digit follows
  [/([.,])([^0-9])/gu, ' $1 $2'],
  // a hyphen after a digit
  [/([0-9])(-)/g, '$1 $2 '],
];

/** The tokens of a text. */
export function tokenize13a(text: string): string[] {
  let line = text;
  for (const [entity, plain] of entities) line = line.replaceAll(entity, plain);
  line = ` ${line} `;
  for (const [pattern, apart] of rules) line = line.replace(pattern, apart);
  return splitWords(line);
}
