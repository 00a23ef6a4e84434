// References as metrics take them: one or more for each translation.

import { check } from '../core/errors.ts';

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
