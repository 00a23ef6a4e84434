// Shared by BLEU and chrF: word splitting as in Python, n-gram counts, and references.

import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';

/**
 * Whitespace of Python's `str.split` and `str.rstrip`: that of JavaScript without the byte-order mark, plus
 * four separators.
 */
const space = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const spaces = new RegExp(space, 'g');
const spacesAtEnd = new RegExp(`${space}$`);

/** Splits a text at whitespace. */
export const splitWords = (text: string): string[] => text.split(spaces).filter((word) => word !== '');

/** Removes whitespace at the end. */
export const trimEnd = (text: string): string => text.replace(spacesAtEnd, '');

/** Counts the n-grams of `tokens`. Keys are tokens joined by `separator`, which must not occur in a token. */
export function countNgrams(tokens: readonly string[], n: number, separator: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= tokens.length; i++) {
    const key = tokens.slice(i, i + n).join(separator);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Number of n-grams that two counts have in common (clipped counts). */
export function countMatches(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let matches = 0;
  for (const [key, count] of a) matches += Math.min(count, b.get(key) ?? 0);
  return matches;
}

/** Total number of n-grams. */
export function countAll(counts: ReadonlyMap<string, number>): number {
  let all = 0;
  for (const count of counts.values()) all += count;
  return all;
}

/**
 * One reference, or several, of each translation. Empty strings are ignored, so sentences may have different
 * numbers of references.
 */
export type References = readonly (string | readonly string[])[];

/**
 * The references that are not empty. Throws a HeddleError that starts with `metric` if there are no
 * translations, the lists differ in length, or a translation has no reference.
 */
export function givenReferences(
  metric: string,
  translations: readonly string[],
  references: References,
): string[][] {
  check(translations.length > 0, 'there are no translations', { area: metric });
  check(
    translations.length === references.length,
    msg`${translations.length} translations, ${references.length} lists of references; give one for each`,
    { area: metric },
  );
  return references.map((list, i) => {
    const given = [list].flat().filter((text) => text !== '');
    check(given.length > 0, () => msg`sentence ${i + 1} has no reference`, { area: metric });
    return given;
  });
}

/** `nrefs` of a sacreBLEU signature: number of references of each sentence, or `var`. */
export function countReferences(given: readonly (readonly string[])[]): string {
  const counts = new Set(given.map((list) => list.length));
  return counts.size === 1 ? `${given[0]?.length}` : 'var';
}

/** A metric of a corpus as sums over its sentences. */
export interface SentenceStatistics {
  /** Name of the metric: `BLEU`, `chrF2`. */
  readonly name: string;
  /** sacreBLEU's signature without its version. */
  readonly signature: string;
  /** Counts of each sentence; all have the same length. */
  readonly rows: readonly (readonly number[])[];
  /** The score, from 0 to 100, of sums of rows. */
  readonly score: (sums: readonly number[]) => number;
}

/** Sums of the columns of rows. */
export function sumsOf(rows: readonly (readonly number[])[]): number[] {
  const sums: number[] = Array((rows[0] ?? []).length).fill(0);
  for (const row of rows) for (const [i, value] of row.entries()) sums[i] = (sums[i] ?? 0) + value;
  return sums;
}
