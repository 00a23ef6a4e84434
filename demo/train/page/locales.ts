// Locales for the built-in corpus: all that this browser can speak, with their names in the visitor's own language.

/** A locale and what it is called. */
export interface NamedLocale {
  readonly tag: string;
  readonly name: string;
}

/** Scripts and regions beside the plain languages where the words differ enough to be a choice of their own. */
const variants =
  'en-GB en-AU en-CA en-IN de-AT de-CH es-MX es-AR fr-CA fr-CH pt-PT zh-Hant zh-HK sr-Latn uz-Cyrl az-Cyrl nl-BE it-CH ar-EG ar-MA fil haw chr kok yue ast gsw dsb hsb sah kea vai';

const letters = [...'abcdefghijklmnopqrstuvwxyz'];

/** What a locale is called in the visitor's language; the tag itself where it has no name. */
export function localeName(tag: string): string {
  try {
    return new Intl.DisplayNames(undefined, { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** Every locale that this browser has dates, numbers and names for, by name. */
export function spokenLocales(): NamedLocale[] {
  const candidates = [...letters.flatMap((a) => letters.map((b) => a + b)), ...variants.split(' ')];
  const known = Intl.DateTimeFormat.supportedLocalesOf(candidates);
  const spoken = Intl.DisplayNames.supportedLocalesOf(known);
  const names = new Intl.DisplayNames(undefined, { type: 'language' });
  const named = new Map<string, NamedLocale>();
  for (const tag of spoken) {
    const name = names.of(tag) ?? tag;
    if (name !== tag && !named.has(tag)) named.set(tag, { tag, name });
  }
  return [...named.values()].sort((a, b) => a.name.localeCompare(b.name));
}
