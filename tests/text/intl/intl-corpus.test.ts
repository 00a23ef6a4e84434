// The built-in corpus of CLDR phrases.
import { describe, expect, it } from 'vitest';
import { pairKey, splitPairs } from '../../../src/text/corpus/pairs.ts';
import { type IntlKind, intlCorpus, intlKinds, sharedTemplates } from '../../../src/text/intl/intl-corpus.ts';
import { createLocaleFormatter } from '../../../src/text/intl/locale-formatter.ts';
import { plainTemplates, sentenceTemplates } from '../../../src/text/intl/phrase-data.ts';
import { errorAbout } from '../../support/expect-error.ts';

const corpus = intlCorpus({ pairs: 5000, seed: 3 });
const only = (kind: IntlKind, pairs: number, more = {}) => intlCorpus({ pairs, kinds: [kind], ...more });

it('gives the same pairs for the same seed, and others for another seed', () => {
  expect(intlCorpus({ pairs: 5000, seed: 3 })).toEqual(corpus);
  expect(intlCorpus({ pairs: 100, seed: 4 })).not.toEqual(corpus.slice(0, 100));
});

it('starts a longer corpus with the shorter one', () => {
  expect(intlCorpus({ pairs: 300, seed: 3 })).toEqual(corpus.slice(0, 300));
});

it('generates more than 100,000 pairs, no source twice, and none in two sets of a split', () => {
  const many = intlCorpus({ pairs: 110_000 });
  expect(new Set(many.map((pair) => pairKey(pair.source))).size).toBe(110_000);
  const { train, test } = splitPairs(many, { test: 0.02 });
  expect(test.length).toBeGreaterThan(500);
  const seen = new Set(train.map((pair) => pairKey(pair.source)));
  expect(test.filter((pair) => seen.has(pairKey(pair.source)))).toEqual([]);
});

it('draws every kind of phrase, at most half of them sentences, none rarely', () => {
  for (const kind of intlKinds) {
    const share = corpus.filter((pair) => pair.kind === kind).length / corpus.length;
    expect(share, kind).toBeGreaterThan(0.02);
    expect(share, kind).toBeLessThan(0.5);
  }
});

it('generates short phrases of plain text with single spaces', () => {
  for (const { source, target } of corpus)
    for (const text of [source, target]) {
      expect(text).toMatch(/^\S+( \S+)*$/);
      expect(text).not.toMatch(/[{}\u00a0\u202f\u2009\u200e\u200f]|undefined|NaN/);
      expect(text.split(/\s|\b/).filter((word) => word !== '').length).toBeLessThanOrEqual(30);
    }
});

describe('a kind', () => {
  const forms: Record<IntlKind, [RegExp, RegExp]> = {
    date: [
      /\b(January|February|March|April|May|June|July|August|September|October|November|December)\b/,
      /\bde\b/,
    ],
    time: [/^\d+:\d\d/, /^\d+:\d\d/],
    relative: [
      /ago$|^in |^(this|next|last) |day$|^tomorrow$|^now$/,
      /^(hace|dentro de) |ayer|hoy|mañana|ahora|[ae]st|pas|próx/,
    ],
    duration: [
      /\d+ (year|month|week|day|hour|minute|second)s?$/,
      /\d+ (año|mes|semana|día|hora|minuto|segundo)(e?s)?$/,
    ],
    quantity: [/^-?[\d.,]+ [a-z]/, /^-?[\d.,]+ [a-z]/],
    money: [/\d/, /^\d/],
    region: [/^[^\d]+$/, /^[^\d]+$/],
    language: [/^[A-Z][^\d]+$/, /^[^\dA-Z]+$/],
    sentence: [/^[A-Z].*[.?]$/, /^[¿A-Z].*[.?]$/],
  };
  it.each(intlKinds)('%s can be the only kind and has its form', (kind) => {
    for (const pair of only(kind, 200)) {
      expect(pair.kind).toBe(kind);
      expect(pair.source).toMatch(forms[kind][0]);
      expect(pair.target).toMatch(forms[kind][1]);
    }
  });
});

it('translates: numbers, plurals, weekdays and names agree', () => {
  const [en, es] = [createLocaleFormatter('en'), createLocaleFormatter('es')];
  const day = Date.UTC(2019, 2, 5, 15, 45);
  expect([en.date(day, 'full'), es.date(day, 'full')]).toEqual([
    'Tuesday, March 5, 2019',
    'martes, 5 de marzo de 2019',
  ]);
  expect([en.time(day, 'minute'), es.time(day, 'minute')]).toEqual(['3:45 PM', '15:45']);
  expect([en.relative(-3, 'week'), es.relative(-3, 'week')]).toEqual(['3 weeks ago', 'hace 3 semanas']);
  expect([en.quantity(1, 'kilogram'), es.quantity(3.5, 'kilogram')]).toEqual([
    '1 kilogram',
    '3,5 kilogramos',
  ]);
  expect([en.money(1, 'EUR', 'name'), es.money(12.5, 'EUR', 'name')]).toEqual(['1 euro', '12,50 euros']);
  expect([en.region('DE'), es.language('de')]).toEqual(['Germany', 'alemán']);
  expect(es.list([es.region('FR'), es.region('IT')])).toBe('Francia e Italia');
  expect(
    es.duration([
      [2, 'hour'],
      [1, 'minute'],
    ]),
  ).toBe('2 horas y 1 minuto');
});

it('distinguishes a unit of time from a time of day', () => {
  const es = createLocaleFormatter('es');
  expect(es.time(0, 'minute')).toBe('0:00');
  expect(es.quantity(2, 'minute')).toBe('2 minutos');
  expect(es.date(0, 'month')).toBe('enero de 1970');
  expect(es.quantity(2, 'month')).toBe('2 meses');
});

it('generates no Spanish sentence with a wrong article before one o’clock', () => {
  const sentences = only('sentence', 3000);
  expect(sentences.filter((pair) => / a las \d/.test(pair.target)).length).toBeGreaterThan(100);
  expect(
    sentences.filter((pair) => / a las (0?1|13):/.test(pair.target) && !/ 13:/.test(pair.target)),
  ).toEqual([]);
});

it.each([
  ['es', 'en'],
  ['en', 'fr'],
  ['de', 'it'],
  ['pt-BR', 'es-MX'],
  ['ja', 'ar'],
  ['en-GB', 'hi'],
])('speaks %s to %s', (source, target) => {
  const pairs = intlCorpus({ pairs: 400, source, target });
  expect(new Set(pairs.map((pair) => pair.kind)).size).toBe(intlKinds.length);
  expect(pairs.filter((pair) => /[{}]|undefined/.test(pair.source + pair.target))).toEqual([]);
  expect(pairs.filter((pair) => pair.source === pair.target).length).toBeLessThan(60); // Names such as Angola, and times.
});

it('fills the same places of a template in every language, and has plain templates for all others', () => {
  const places = (frame: string) => frame.match(/\{\w+\}/g)?.sort();
  for (const templates of Object.values(sentenceTemplates))
    for (const [id, frame] of Object.entries(templates))
      expect(places(frame), id).toEqual(places(sentenceTemplates.en?.[id] ?? ''));
  expect(sharedTemplates('en', 'ja')).toEqual([]);
  expect(sharedTemplates('en', 'es-MX')).toEqual(Object.keys(sentenceTemplates.en ?? {}));
  for (const frame of plainTemplates) expect(frame.replace(/\{\w+\}/g, '')).not.toMatch(/\w/);
});

it('rejects locales that the runtime does not know, by name', () => {
  expect(() => intlCorpus({ pairs: 1, target: 'zz' })).toThrow(errorAbout({ area: 'intl', values: ['zz'] }));
  expect(() => intlCorpus({ pairs: 1, source: 'no such' })).toThrow(
    errorAbout({ area: 'intl', values: ['no such'] }),
  );
  expect(() => intlCorpus({ pairs: 1, source: '' })).toThrow(errorAbout({ area: 'intl' }));
});

it('rejects invalid kinds and numbers', () => {
  expect(() => intlCorpus({ pairs: 1, kinds: ['poem' as IntlKind] })).toThrow(
    errorAbout({ area: 'intl', values: ['poem', 'date', 'time'] }),
  );
  expect(() => intlCorpus({ pairs: 1, kinds: [] })).toThrow(
    errorAbout({ area: 'intl', values: ['date', 'time', 'relative'] }),
  );
  expect(() => intlCorpus({ pairs: 0 })).toThrow(errorAbout({ area: 'intl', values: [0] }));
  expect(() => intlCorpus({ pairs: 100_000_000 })).toThrow(
    errorAbout({ area: 'intl', values: ['100,000,000', '2,000,000'] }),
  );
});

it('states how many pairs there are if more are requested', () => {
  expect(() => only('relative', 5000)).toThrow(errorAbout({ area: 'intl', values: ['relative', 5000] }));
});
