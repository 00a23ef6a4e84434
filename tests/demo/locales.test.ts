// Locales of the generated corpus.
import { expect, it } from 'vitest';
import { localeName, supportedLocales } from '../../demo/train/page/locales.ts';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';

/** Names in the language of the page. */
const names = new Intl.DisplayNames('en', { type: 'language' });

it('lists each locale once, sorted by name, and all have a corpus', () => {
  const locales = supportedLocales();
  expect(locales.length).toBeGreaterThan(100);
  expect(new Set(locales.map((l) => l.tag)).size).toBe(locales.length);
  const shown = locales.map((l) => l.name);
  expect(shown).toEqual([...shown].sort((a, b) => a.localeCompare(b, 'en')));
  expect(locales).toContainEqual({ tag: 'es', name: names.of('es') });
  expect(locales.map((l) => l.tag)).toEqual(expect.arrayContaining(['en', 'pt-PT', 'zh-Hant', 'sr-Latn']));
  for (const { tag } of locales) expect(intlCorpus({ source: 'en', target: tag, pairs: 3 })).toHaveLength(3);
});

it('returns the tag if a locale has no name', () => {
  expect(localeName('de')).toBe(names.of('de'));
  expect(localeName('not a tag')).toBe('not a tag');
});
