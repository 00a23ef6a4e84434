// The built-in corpus: translation pairs that the runtime itself makes from Unicode's CLDR through `Intl`, with no data file.
import { check } from '../../core/errors.ts';
import { keyOf, type Random, random } from '../../core/random.ts';
import { normalizeText, type Pair, pairKey } from '../corpus/pairs.ts';
import { createLocaleFormatter, type DateForm, type LocaleFormatter } from './locale-formatter.ts';
import {
  currencies,
  languages,
  plainRegions,
  plainTemplates,
  regions,
  sentenceTemplates,
  symbolCurrencies,
  type TemplateSlot,
  type TimeUnit,
  timeUnits,
  units,
} from './phrase-data.ts';

/** Something to be said: equal content in every locale. */
export type Phrase = (speaker: LocaleFormatter) => string;

const day = 86_400_000;
const firstDay = Date.UTC(1950, 0, 1);
const days = (Date.UTC(2050, 0, 1) - firstDay) / day;

const anyTime = (r: Random) => r.int(86_400) * 1000;

/** A few or up to 99; sentences speak of few more often than of many. */
const count = (r: Random) => (r.int(2) === 0 ? 1 + r.int(12) : 1 + r.int(99));

/** An amount to measure: a count, one decimal, or hundreds. */
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
function some<T>(r: Random, list: readonly T[], n: number): T[] {
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

/** So many days, weeks, months or years ago (sign -1) or from now (1). */
function apart(r: Random, sign: 1 | -1): Phrase {
  const unit = r.pick(timeUnits.slice(0, 4));
  const amount = sign * (1 + r.int(20));
  return (s) => s.relative(amount, unit);
}

/** One to three units in a row, the largest first, in amounts that do not fill the next larger unit. */
function duration(r: Random, among: readonly TimeUnit[], most: number): Phrase {
  const n = 1 + r.int(most);
  const first = r.int(among.length - n + 1);
  const below: Record<TimeUnit, number> = { year: 30, month: 12, week: 5, day: 7, hour: 24, minute: 60, second: 60 };
  const parts = among.slice(first, first + n).map((unit) => [1 + r.int(below[unit] - 1), unit] as const);
  return (s) => s.duration(parts);
}

function quantity(r: Random, of?: keyof typeof units): Phrase {
  const unit = r.pick(units[of ?? r.pick(Object.keys(units) as (keyof typeof units)[])]);
  const amount = of === 'temperature' || unit === 'celsius' || unit === 'fahrenheit' ? r.int(60) - 15 : measure(r);
  return (s) => s.quantity(amount, unit);
}

/** An amount of money; the next draws of one sentence are in the same currency. */
function money(r: Random, shared?: { currency?: string }): Phrase {
  const display = shared === undefined && r.int(4) === 0 ? 'symbol' : 'name';
  const currency = shared?.currency ?? r.pick(display === 'symbol' ? symbolCurrencies : [...currencies.keys()]);
  if (shared !== undefined) shared.currency = currency;
  const amount = price(r, currencies.get(currency) ?? 2);
  return (s) => s.money(amount, currency, display);
}

/** One name, or a list of up to three. */
function names(
  r: Random,
  codes: readonly string[],
  say: (s: LocaleFormatter, code: string) => string,
  least: number,
  most: number,
): Phrase {
  const list = some(r, codes, least + r.int(most - least + 1));
  return (s) => (list.length === 1 ? say(s, list[0] as string) : s.list(list.map((code) => say(s, code))));
}

const sayRegion = (s: LocaleFormatter, code: string) => s.region(code);
const sayLanguage = (s: LocaleFormatter, code: string) => s.language(code);

/** A time of day but not in the hour after one o'clock, which Spanish says with another article (see frames.ts). */
function timeInSentence(r: Random): Phrase {
  let at = anyTime(r);
  while (Math.floor(at / 3_600_000) % 12 === 1) at = anyTime(r);
  return (s) => s.time(at, 'minute');
}

const slots: Record<TemplateSlot, (r: Random, shared: { currency?: string }) => Phrase> = {
  date: (r) => date(r, 'long'),
  weekday: (r) => date(r, 'weekday'),
  time: timeInSentence,
  past: (r) => apart(r, -1),
  future: (r) => apart(r, 1),
  span: (r) => duration(r, timeUnits.slice(0, 4), 2),
  flight: (r) => duration(r, ['hour', 'minute'], 2),
  mass: (r) => quantity(r, 'mass'),
  length: (r) => quantity(r, 'length'),
  volume: (r) => quantity(r, 'volume'),
  temperature: (r) => quantity(r, 'temperature'),
  speed: (r) => quantity(r, 'speed'),
  money,
  region: (r) => names(r, plainRegions, sayRegion, 1, 1),
  regions: (r) => names(r, plainRegions, sayRegion, 2, 3),
  language: (r) => names(r, languages, sayLanguage, 1, 1),
  languages: (r) => names(r, languages, sayLanguage, 2, 3),
};

/** The places of a frame, `{money2}` as `money2`, in an order that is the same in every language. */
const placesOf = (frame: string): string[] => [...frame.matchAll(/\{(\w+)\}/g)].map((m) => m[1] as string).sort();

/** A sentence about several things at once; it is said in the frame of each language, or in bare punctuation. */
function sentence(r: Random, shared: readonly string[]): Phrase {
  const plain = shared.length === 0 ? r.pick(plainTemplates) : undefined;
  const id = plain === undefined ? r.pick(shared) : '';
  const frameOf = (s: LocaleFormatter) => plain ?? sentenceTemplates[languageOf(s.locale)]?.[id] ?? '';
  const model = plain ?? Object.values(sentenceTemplates).find((f) => f[id] !== undefined)?.[id] ?? '';
  const money = {};
  const fill = new Map(
    placesOf(model).map((place) => [place, slots[place.replace(/\d$/, '') as TemplateSlot](r, money)]),
  );
  return (s) => normalizeText(frameOf(s).replace(/\{(\w+)\}/g, (_, place: string) => fill.get(place)?.(s) ?? place));
}

/** `es` of `es-MX`. */
const languageOf = (locale: string): string => locale.split('-')[0] as string;

/** The ids of the sentences that both locales can say; none where one has no frames at all. */
export function sharedTemplates(a: string, b: string): string[] {
  const [mine, yours] = [sentenceTemplates[languageOf(a)], sentenceTemplates[languageOf(b)]];
  return mine && yours ? Object.keys(mine).filter((id) => yours[id] !== undefined) : [];
}

/** All kinds: what each draws, and how often it is drawn beside the others. */
export const phraseKinds = {
  date: { weight: 4, draw: (r: Random) => date(r) },
  time: { weight: 1, draw: time },
  relative: { weight: 1, draw: (r: Random) => relative(r) },
  duration: { weight: 2, draw: (r: Random) => duration(r, timeUnits, 3) },
  quantity: { weight: 2, draw: (r: Random) => quantity(r) },
  money: { weight: 2, draw: (r: Random) => money(r) },
  region: { weight: 2, draw: (r: Random) => names(r, regions, sayRegion, 1, 3) },
  language: { weight: 2, draw: (r: Random) => names(r, languages, sayLanguage, 1, 3) },
  sentence: { weight: 8, draw: sentence },
} satisfies Record<string, { weight: number; draw: (r: Random, shared: readonly string[]) => Phrase }>;

/** A kind of phrase. */
export type IntlKind = keyof typeof phraseKinds;

/** A pair of the `intl` corpus, with the kind of phrase it is. */
export interface IntlPair extends Pair {
  readonly kind: IntlKind;
}

/** What to make: locales are BCP 47 tags that the runtime knows; equal options give equal pairs on one runtime. */
export interface IntlOptions {
  /** Number of distinct pairs. */
  readonly pairs: number;
  /** Locale of the source side, `en` unless given. */
  readonly source?: string;
  /** Locale of the target side, `es` unless given. */
  readonly target?: string;
  /** Seed of the draws, 1 unless given. */
  readonly seed?: number;
  /** The kinds to draw from, all unless given. */
  readonly kinds?: readonly IntlKind[];
}

/** Every kind of phrase that the corpus has. */
export const intlKinds = Object.keys(phraseKinds) as IntlKind[];

/** So many draws in a row without a new phrase mean that the kinds have no more to say. */
const patience = 20_000;

/**
 * Makes `pairs` pairs whose source sides all differ (by `pairKey`), in random order. Draw i depends on the seed and on i alone, so
 * that a longer corpus begins with the shorter one, and a phrase that another ICU version words differently disturbs no other.
 * Throws a HeddleError for an unknown locale or kind, and where the kinds have fewer distinct phrases than asked for.
 */
export function intlCorpus(options: IntlOptions): IntlPair[] {
  const { pairs, seed = 1, kinds: chosen = intlKinds } = options;
  const source = createLocaleFormatter(options.source ?? 'en');
  const target = createLocaleFormatter(options.target ?? 'es');
  check(Number.isInteger(pairs) && pairs > 0, `intl: pairs is ${pairs}, it must be a whole number above 0`);
  check(chosen.length > 0, `intl: no kinds chosen; there are ${intlKinds.join(', ')}`);
  for (const kind of chosen)
    check(Object.hasOwn(phraseKinds, kind), `intl: no kind '${kind}'; there are ${intlKinds.join(', ')}`);
  const frames = sharedTemplates(source.locale, target.locale);
  const urn = chosen.flatMap((kind) => Array<IntlKind>(phraseKinds[kind].weight).fill(kind));
  const out: IntlPair[] = [];
  const seen = new Set<string>();
  for (let draw = 0, last = 0; out.length < pairs; draw++) {
    check(
      draw - last < patience,
      () => `intl: ${chosen.join(', ')} give about ${out.length} distinct pairs, ${pairs} are asked for`,
    );
    const r = random(seed, keyOf('intl'), draw);
    const kind = r.pick(urn);
    const phrase = phraseKinds[kind].draw(r, frames);
    const text = phrase(source);
    const key = pairKey(text);
    if (seen.has(key)) continue;
    seen.add(key);
    last = draw;
    out.push({ source: text, target: phrase(target), kind });
  }
  return out;
}
