// Exact match: the share of translations that are a reference of theirs, letter by letter.

import { check } from '../core/errors.ts';

/**
 * Share, from 0 to 1, of translations that equal one of their references. `normal` is the form that a tokenizer can write (it may drop
 * case); references are taken in that form, the translation has it already. Throws a HeddleError where there is not a list of them for each.
 */
export function exactMatch(
  translations: readonly string[],
  references: readonly (string | readonly string[])[],
  normal: (text: string) => string = (text) => text,
): number {
  check(translations.length > 0, 'exact match: there are no translations');
  check(
    translations.length === references.length,
    `exact match: ${translations.length} translations, ${references.length} references; give one for each, or a list`,
  );
  const hits = translations.filter((text, i) =>
    [references[i] ?? []].flat().some((reference) => text === normal(reference)),
  );
  return hits.length / translations.length;
}
