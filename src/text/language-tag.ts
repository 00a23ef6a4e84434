/**
 * A language tag of BCP 47 in its usual spelling, also of one with underscores; undefined if it is none.
 *
 * @example
 * languageTag('es_mx'); // 'es-MX'
 * languageTag('x!'); // undefined
 */
export function languageTag(code: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(code.replaceAll('_', '-'))[0];
  } catch {
    return undefined;
  }
}
