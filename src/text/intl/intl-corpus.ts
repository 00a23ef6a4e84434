// The built-in `intl` corpus: translation pairs generated from Unicode CLDR through `Intl`, without data
// files. Each kind of phrase draws a content once and formats it in both locales.
import { check } from '../../core/errors.ts';
import { checkNames } from '../../core/fields.ts';
import { formatInteger } from '../../core/format-numbers.ts';
import { listed, msg } from '../../core/message.ts';
import { keyOf, type Random, random } from '../../core/random.ts';
import { runSteps, type Steps } from '../../core/steps.ts';
import { drawsPerStep, maxFailedDraws, maxGeneratedPairs } from '../corpus/generated-pairs.ts';
import { normalizeText } from '../corpus/normalize-text.ts';
import { type Pair, pairKey } from '../corpus/pairs.ts';
import { createLocaleFormatter, type DateForm, type LocaleFormatter } from './locale-formatter.ts';
import {
  currencies,
  languages,
  plainRegions,
  plainTemplates,
  regions,
  sentenceTemplates,
  symbolCurrencies,
  type TimeUnit,
  timeUnits,
  units,
} from './phrase-data.ts';

/** A phrase: the same content in every locale. */
export type Phrase = (formatter: LocaleFormatter) => string;

const day = 86_400_000;
const firstDay = Date.UTC(1950, 0, 1);
const days = (Date.UTC(2050, 0, 1) - firstDay) / day;

const anyTime = (r: Random) => r.int(86_400) * 1000;

/** 1 to 12, or up to 99: small numbers are more frequent. */
const count = (r: Random) => (r.int(2) === 0 ? 1 + r.int(12) : 1 + r.int(99));

/** An amount: a count, one decimal, or hundreds. */
function measure(r: Random): number {
  const form = r.int(10);
  if (form < 6) return count(r);
  return form < 9 ? (1 + r.int(499)) / 10 : 100 * (1 + r.int(9));
}

/** A price: whole, with cents, or in thousands. */
function price(r: Random, decimals: 0 | 2): number {
  const form = r.int(10);
  if (form === 0) return 1000 * (1 + r.int(99));
  return form < 5 && decimals === 2 ? (100 + r.int(9900)) / 100 : 1 + r.int(999);
}

/** `n` different elements. */
function distinct<T>(r: Random, list: readonly T[], n: number): T[] {
  const out = new Set<T>();
  while (out.size < n) out.add(r.pick(list));
  return [...out];
}

const dateForms: readonly DateForm[] = ['full', 'full', 'full', 'long', 'weekday', 'day', 'month'];

function date(r: Random, form: DateForm = r.pick(dateForms)): Phrase {
  const at = firstDay + r.int(days) * day;
  return (s) => s.date(at, form);
}

function time(r: Random): Phrase {
  const at = anyTime(r);
  const form = r.pick(['minute', 'second', 'period'] as const);
  return (s) => s.time(at, form);
}

const relativeUnits = [...timeUnits, 'quarter'] as const;

function relative(r: Random): Phrase {
  const unit = r.pick(relativeUnits);
  const amount = r.int(20) === 0 ? 0 : (r.int(2) === 0 ? 1 : -1) * count(r);
  return (s) => s.relative(amount, unit);
}

/** A number of days, weeks, months or years ago (sign -1) or from now (1). */
function fromNow(r: Random, sign: 1 | -1): Phrase {
  const unit = r.pick(timeUnits.slice(0, 4));
  const amount = sign * (1 + r.int(20));
  return (s) => s.relative(amount, unit);
}

/** One to `max` consecutive units, largest first, with amounts below the next larger unit. */
function duration(r: Random, among: readonly TimeUnit[], max: number): Phrase {
  const n = 1 + r.int(max);
  const first = r.int(among.length - n + 1);
  const below: Record<TimeUnit, number> = {
    year: 30,
    month: 12,
    week: 5,
    day: 7,
    hour: 24,
    minute: 60,
    second: 60,
  };
  const parts = among.slice(first, first + n).map((unit) => [1 + r.int(below[unit] - 1), unit] as const);
  return (s) => s.duration(parts);
}

function quantity(r: Random, kind?: keyof typeof units): Phrase {
  const unit = r.pick(units[kind ?? r.pick(Object.keys(units) as (keyof typeof units)[])]);
  const amount =
    kind === 'temperature' || unit === 'celsius' || unit === 'fahrenheit' ? r.int(60) - 15 : measure(r);
  return (s) => s.quantity(amount, unit);
}

/** An amount of money; all amounts of a sentence have the same currency. */
function money(r: Random, shared?: { currency?: string }): Phrase {
  const display = shared === undefined && r.int(4) === 0 ? 'symbol' : 'name';
  const currency =
    shared?.currency ?? r.pick(display === 'symbol' ? symbolCurrencies : [...currencies.keys()]);
  if (shared !== undefined) shared.currency = currency;
  const amount = price(r, currencies.get(currency) ?? 2);
  return (s) => s.money(amount, currency, display);
}

/** A name, or a list of `min` to `max` names. */
function names(
  r: Random,
  codes: readonly string[],
  format: (s: LocaleFormatter, code: string) => string,
  min: number,
  max: number,
): Phrase {
  const list = distinct(r, codes, min + r.int(max - min + 1));
  return (s) =>
    list.length === 1 ? format(s, list[0] as string) : s.list(list.map((code) => format(s, code)));
}

const formatRegion = (s: LocaleFormatter, code: string) => s.region(code);
const formatLanguage = (s: LocaleFormatter, code: string) => s.language(code);

/**
 * A time of day, except from one to two o'clock, which has another article in Spanish (see
 * `sentenceTemplates`).
 */
function timeInSentence(r: Random): Phrase {
  let at = anyTime(r);
  while (Math.floor(at / 3_600_000) % 12 === 1) at = anyTime(r);
  return (s) => s.time(at, 'minute');
}

/** Draws the content of each placeholder. All amounts of money in a sentence have the `shared` currency. */
const slots = {
  date: (r) => date(r, 'long'),
  weekday: (r) => date(r, 'weekday'),
  time: timeInSentence,
  past: (r) => fromNow(r, -1),
  future: (r) => fromNow(r, 1),
  span: (r) => duration(r, timeUnits.slice(0, 4), 2),
  flight: (r) => duration(r, ['hour', 'minute'], 2),
  mass: (r) => quantity(r, 'mass'),
  length: (r) => quantity(r, 'length'),
  volume: (r) => quantity(r, 'volume'),
  temperature: (r) => quantity(r, 'temperature'),
  speed: (r) => quantity(r, 'speed'),
  money,
  region: (r) => names(r, plainRegions, formatRegion, 1, 1),
  regions: (r) => names(r, plainRegions, formatRegion, 2, 3),
  language: (r) => names(r, languages, formatLanguage, 1, 1),
  languages: (r) => names(r, languages, formatLanguage, 2, 3),
} satisfies Record<string, (r: Random, shared: { currency?: string }) => Phrase>;

/** Placeholders of a template, such as `money2`, sorted so that the order is the same in every language. */
const placeholdersOf = (template: string): string[] =>
  [...template.matchAll(/\{(\w+)\}/g)].map((m) => m[1] as string).sort();

/**
 * A sentence: fills the placeholders of a template with random phrases. `templateIds`: templates that both
 * languages have; if there are none, a template without words is used.
 */
function sentence(r: Random, templateIds: readonly string[]): Phrase {
  const plain = templateIds.length === 0 ? r.pick(plainTemplates) : undefined;
  const id = plain === undefined ? r.pick(templateIds) : '';
  const templateOf = (s: LocaleFormatter) => plain ?? sentenceTemplates[languageOf(s.locale)]?.[id] ?? '';
  const anyTemplate = plain ?? Object.values(sentenceTemplates).find((f) => f[id] !== undefined)?.[id] ?? '';
  const money = {};
  const fill = new Map(
    placeholdersOf(anyTemplate).map((place) => [
      place,
      slots[place.replace(/\d$/, '') as keyof typeof slots](r, money),
    ]),
  );
  return (s) =>
    normalizeText(templateOf(s).replace(/\{(\w+)\}/g, (_, place: string) => fill.get(place)?.(s) ?? place));
}

/** `es` of `es-MX`. */
const languageOf = (locale: string): string => locale.split('-')[0] as string;

/** Ids of the sentence templates that both locales have. */
export function sharedTemplates(a: string, b: string): string[] {
  const [first, second] = [sentenceTemplates[languageOf(a)], sentenceTemplates[languageOf(b)]];
  return first && second ? Object.keys(first).filter((id) => second[id] !== undefined) : [];
}

/** All kinds of phrases, with their relative frequencies. */
const phraseKinds = {
  date: { weight: 4, draw: (r: Random) => date(r) },
  time: { weight: 1, draw: time },
  relative: { weight: 1, draw: (r: Random) => relative(r) },
  duration: { weight: 2, draw: (r: Random) => duration(r, timeUnits, 3) },
  quantity: { weight: 2, draw: (r: Random) => quantity(r) },
  money: { weight: 2, draw: (r: Random) => money(r) },
  region: { weight: 2, draw: (r: Random) => names(r, regions, formatRegion, 1, 3) },
  language: { weight: 2, draw: (r: Random) => names(r, languages, formatLanguage, 1, 3) },
  sentence: { weight: 8, draw: sentence },
} satisfies Record<string, { weight: number; draw: (r: Random, shared: readonly string[]) => Phrase }>;

/** A kind of phrase. */
export type IntlKind = keyof typeof phraseKinds;

/** A pair of the `intl` corpus with its kind of phrase. */
export interface IntlPair extends Pair {
  readonly kind: IntlKind;
}

/** Options of `intlCorpus`. Locales are BCP 47 tags. Equal options give equal pairs on a runtime. */
export interface IntlOptions {
  /** Number of distinct pairs. */
  readonly pairs: number;
  /** Locale of the source side, default `en`. */
  readonly source?: string;
  /** Locale of the target side, default `es`. */
  readonly target?: string;
  /** Random seed, default 1. */
  readonly seed?: number;
  /** Kinds of phrases, default all. */
  readonly kinds?: readonly IntlKind[];
}

/** All kinds of phrases. */
export const intlKinds = Object.keys(phraseKinds) as IntlKind[];

/**
 * Generates `pairs` pairs with distinct sources (by `pairKey`), in random order. Draw i depends only on the
 * seed and i: a longer corpus starts with the shorter one, and a phrase that another ICU version formats
 * differently does not change the others. Throws a HeddleError for an unknown locale or kind, for more
 * than `maxGeneratedPairs`, and if the kinds have fewer distinct phrases.
 *
 * @example
 * const pairs = intlCorpus({ pairs: 10_000, source: 'en', target: 'es' });
 */
export function intlCorpus(options: IntlOptions): IntlPair[] {
  // `kind`: that of the corpus of a training, whose fields are these options.
  checkNames({ area: 'intl' }, ['kind', 'pairs', 'source', 'target', 'seed', 'kinds'], Object.keys(options));
  return runSteps(intlCorpusSteps(options));
}

/** Generates pairs in steps, which report progress. See `intlCorpus`. */
export function* intlCorpusSteps(options: IntlOptions): Steps<IntlPair[]> {
  const { pairs, seed = 1, kinds: chosen = intlKinds } = options;
  const source = createLocaleFormatter(options.source ?? 'en');
  const target = createLocaleFormatter(options.target ?? 'es');
  check(Number.isInteger(pairs) && pairs > 0, msg`pairs is ${pairs}, it must be a whole number above 0`, {
    area: 'intl',
  });
  check(
    pairs <= maxGeneratedPairs,
    msg`pairs is ${formatInteger(pairs)}; the built-in corpus has at most ${formatInteger(maxGeneratedPairs)} distinct pairs, which are held in memory; use files of pairs for a larger one`,
    { area: 'intl' },
  );
  check(chosen.length > 0, msg`no kinds chosen; there are ${listed(intlKinds)}`, { area: 'intl' });
  for (const kind of chosen)
    check(Object.hasOwn(phraseKinds, kind), msg`no kind '${kind}'; there are ${listed(intlKinds)}`, {
      area: 'intl',
    });
  const templates = sharedTemplates(source.locale, target.locale);
  const weightedKinds = chosen.flatMap((kind) => Array<IntlKind>(phraseKinds[kind].weight).fill(kind));
  const out: IntlPair[] = [];
  const seen = new Set<string>();
  for (let draw = 0, last = 0; out.length < pairs; draw++) {
    if (draw % drawsPerStep === 0) yield { task: 'make corpus', done: out.length, total: pairs };
    check(
      draw - last < maxFailedDraws,
      () => msg`${listed(chosen)} have about ${out.length} distinct pairs, fewer than ${pairs}`,
      { area: 'intl' },
    );
    const r = random(seed, keyOf('intl'), draw);
    const kind = r.pick(weightedKinds);
    const phrase = phraseKinds[kind].draw(r, templates);
    const text = phrase(source);
    const key = pairKey(text);
    if (seen.has(key)) continue;
    seen.add(key);
    last = draw;
    out.push({ source: text, target: phrase(target), kind });
  }
  return out;
}
