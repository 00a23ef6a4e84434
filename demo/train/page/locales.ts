// Locales of the generated corpus, and the names of languages.

import { language } from '../../common/page-texts.ts';

/** Regional and script variants that differ enough from their base language to be listed. */
// biome-ignore format: a line for each tag is too long
const variants = [
  'en-GB', 'en-AU', 'en-CA', 'en-IN', 'de-AT', 'de-CH', 'es-MX', 'es-AR', 'fr-CA', 'fr-CH', 'pt-PT', 'zh-Hant',
  'zh-HK', 'sr-Latn', 'uz-Cyrl', 'az-Cyrl', 'nl-BE', 'it-CH', 'ar-EG', 'ar-MA', 'fil', 'haw', 'chr', 'kok',
  'yue', 'ast', 'gsw', 'dsb', 'hsb', 'sah', 'kea', 'vai',
];

/**
 * The language of two locales if they share it, as en and en-GB do, and the model would only copy; else
 * empty.
 */
export function sharedLanguage(a: string, b: string): string {
  const [x, y] = [new Intl.Locale(a).maximize(), new Intl.Locale(b).maximize()];
  return x.language === y.language && x.script === y.script ? x.language : '';
}

/** Returns the name of a locale in the language of the page; the tag if it has no name. */
export function localeName(tag: string): string {
  try {
    return new Intl.DisplayNames(language, { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/**
 * Returns the locales for which this browser has dates, numbers and names, sorted by name: BCP 47 tags with
 * their names.
 */
export function supportedLocales(): { readonly tag: string; readonly name: string }[] {
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  const candidates = [...letters.flatMap((a) => letters.map((b) => a + b)), ...variants];
  const tags = Intl.DisplayNames.supportedLocalesOf(Intl.DateTimeFormat.supportedLocalesOf(candidates));
  const names = new Intl.DisplayNames(language, { type: 'language' });
  return [...new Set(tags)]
    .map((tag) => ({ tag, name: names.of(tag) ?? tag }))
    .filter(({ tag, name }) => name !== tag)
    .sort((a, b) => a.name.localeCompare(b.name, language));
}
