// Counts of n-grams, for BLEU and chrF; and what those metrics take for a space, which is what Python does.

import { check } from '../core/errors.ts';

/** Python's white space, as `str.split` and `str.rstrip` see it: JavaScript's without the byte-order mark, with four separators. */
const space = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const spaces = new RegExp(space, 'g');
const spacesAtEnd = new RegExp(`${space}$`);

/** The words of a text: what stands between spaces. */
export const splitWords = (text: string): string[] => text.split(spaces).filter((word) => word !== '');

/** A text without spaces at its end. */
export const trimEnd = (text: string): string => text.replace(spacesAtEnd, '');

/** How often each n-gram of `tokens` occurs; `glue` joins its tokens into the key and must be in none of them. */
export function countNgrams(tokens: readonly string[], n: number, glue: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= tokens.length; i++) {
    const key = tokens.slice(i, i + n).join(glue);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** N-grams of `found` that are in `wanted` too, each as often as in the poorer of the two. */
export function countMatches(found: ReadonlyMap<string, number>, wanted: ReadonlyMap<string, number>): number {
  let matches = 0;
  for (const [key, count] of found) matches += Math.min(count, wanted.get(key) ?? 0);
  return matches;
}

/** All n-grams of a count. */
export function countAll(counts: ReadonlyMap<string, number>): number {
  let all = 0;
  for (const count of counts.values()) all += count;
  return all;
}

/** For each translation its references; an empty one counts as not given, so that some sentences may have fewer. */
export type References = readonly (readonly string[])[];

/**
 * The references that are given. Throws a HeddleError, with `metric` in it, where there are no translations, where there is not one
 * list of references for each, and where a list has none but empty ones.
 */
export function givenReferences(metric: string, translations: readonly string[], references: References): string[][] {
  check(translations.length > 0, `${metric}: there are no translations`);
  check(
    translations.length === references.length,
    `${metric}: ${translations.length} translations, ${references.length} lists of references; give one for each`,
  );
  return references.map((list, i) => {
    const given = list.filter((text) => text !== '');
    check(given.length > 0, () => `${metric}: sentence ${i + 1} has no reference`);
    return given;
  });
}

/** `nrefs` of a signature: how many references each sentence has, or `var`. */
export function countReferences(given: References): string {
  const counts = new Set(given.map((list) => list.length));
  return counts.size === 1 ? `${given[0]?.length}` : 'var';
}
