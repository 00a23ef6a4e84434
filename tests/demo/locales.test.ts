// The locales that the page offers for the built-in corpus.
import { expect, it } from 'vitest';
import { localeName, spokenLocales } from '../../demo/train/page/locales.ts';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';

/** In the language of the machine, as the page has it. */
const names = new Intl.DisplayNames(undefined, { type: 'language' });

it('offers each locale once, by name, and the corpus speaks them', () => {
  const locales = spokenLocales();
  expect(locales.length).toBeGreaterThan(100);
  expect(new Set(locales.map((l) => l.tag)).size).toBe(locales.length);
  const shown = locales.map((l) => l.name);
  expect(shown).toEqual([...shown].sort((a, b) => a.localeCompare(b)));
  expect(locales).toContainEqual({ tag: 'es', name: names.of('es') });
  expect(locales.map((l) => l.tag)).toEqual(expect.arrayContaining(['en', 'pt-PT', 'zh-Hant', 'sr-Latn']));
  for (const { tag } of locales) expect(intlCorpus({ source: 'en', target: tag, pairs: 3 })).toHaveLength(3);
});

it('gives a tag where a locale has no name', () => {
  expect(localeName('de')).toBe(names.of('de'));
  expect(localeName('not a tag')).toBe('not a tag');
});
