// Exact match: the share of translations that are their reference, letter by letter.

import { check } from '../errors.ts';

/**
 * Share, from 0 to 1, of translations that equal their reference. `normal` is the form that a tokenizer can write (it may drop case);
 * the reference is taken in that form, the translation has it already. Throws a HeddleError where there is not one reference for each.
 */
export function exactMatch(
  translations: readonly string[],
  references: readonly string[],
  normal: (text: string) => string = (text) => text,
): number {
  check(translations.length > 0, 'exact match: there are no translations');
  check(
    translations.length === references.length,
    `exact match: ${translations.length} translations, ${references.length} references; give one for each`,
  );
  return translations.filter((text, i) => text === normal(references[i] as string)).length / translations.length;
}
