// Formats dates, amounts and names in a locale with cached formatters of `Intl`. Results are normalized,
// since ICU versions differ in narrow no-break spaces and direction marks.
import { check, HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { normalizeText } from '../corpus/normalize-text.ts';
import type { TimeUnit } from './phrase-data.ts';

/** Form of a date. */
export type DateForm = 'full' | 'long' | 'weekday' | 'day' | 'month';
/** Form of a time of day: to the minute, to the second, or with the day period in words. */
export type TimeForm = 'minute' | 'second' | 'period';

/** Formats values in one locale. Times are in UTC milliseconds. */
export type LocaleFormatter = ReturnType<typeof createLocaleFormatter>;

const dateForms: Record<DateForm, Intl.DateTimeFormatOptions> = {
  full: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  long: { day: 'numeric', month: 'long', year: 'numeric' },
  weekday: { weekday: 'long', day: 'numeric', month: 'long' },
  day: { day: 'numeric', month: 'long' },
  month: { month: 'long', year: 'numeric' },
};

const timeForms: Record<TimeForm, Intl.DateTimeFormatOptions> = {
  minute: { hour: 'numeric', minute: '2-digit' },
  second: { hour: 'numeric', minute: '2-digit', second: '2-digit' },
  period: { hour: 'numeric', minute: '2-digit', hourCycle: 'h12', dayPeriod: 'long' },
};

/** The canonical form of a locale. Throws a HeddleError if this runtime has no data for it. */
function knownLocale(locale: string): string {
  let known: string[];
  try {
    known = Intl.DateTimeFormat.supportedLocalesOf(locale);
  } catch {
    throw new HeddleError(msg`'${locale}' is not a locale; write one like 'en', 'es' or 'pt-BR'`, {
      area: 'intl',
    });
  }
  check(known[0] !== undefined, msg`this runtime has no data for the locale '${locale}'`, { area: 'intl' });
  return known[0];
}

/**
 * Creates a formatter with the Gregorian calendar. Throws a HeddleError for a locale that the runtime does
 * not support.
 */
export function createLocaleFormatter(locale: string) {
  const tag = knownLocale(locale);
  const formatters = new Map<string, unknown>();
  const memo = <T>(key: string, make: () => T): T => {
    let formatter = formatters.get(key) as T | undefined;
    if (formatter === undefined) {
      formatter = make();
      formatters.set(key, formatter);
    }
    return formatter;
  };
  const moment = (at: number, form: DateForm | TimeForm, options: Intl.DateTimeFormatOptions) => {
    const all = { calendar: 'gregory', timeZone: 'UTC', ...options };
    return normalizeText(memo(`at ${form}`, () => new Intl.DateTimeFormat(tag, all)).format(at));
  };
  const name = (type: 'region' | 'language', code: string) =>
    normalizeText(memo(`name ${type}`, () => new Intl.DisplayNames(tag, { type })).of(code) ?? code);
  const joined = (type: 'conjunction' | 'unit', items: readonly string[]) =>
    normalizeText(
      memo(`list ${type}`, () => new Intl.ListFormat(tag, { type, style: 'long' })).format(items),
    );
  const quantity = (amount: number, unit: string) =>
    normalizeText(
      memo(
        `unit ${unit}`,
        () => new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'long' }),
      ).format(amount),
    );
  return {
    locale: tag,
    date: (at: number, form: DateForm) => moment(at, form, dateForms[form]),
    time: (at: number, form: TimeForm) => moment(at, form, timeForms[form]),
    /** `tomorrow`, `in 3 weeks`, `2 years ago`. */
    relative: (amount: number, unit: Intl.RelativeTimeFormatUnit) =>
      normalizeText(
        memo('relative', () => new Intl.RelativeTimeFormat(tag, { numeric: 'auto' })).format(amount, unit),
      ),
    /** `3.5 kilograms`. */
    quantity,
    /** `12.50 euros`, or with the symbol `€12.50`; no decimals for whole amounts. */
    money(amount: number, currency: string, display: 'name' | 'symbol') {
      const digits = Number.isInteger(amount) ? 0 : 2;
      const options = {
        style: 'currency',
        currency,
        currencyDisplay: display,
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      } as const;
      const formatter = memo(`${currency} ${display} ${digits}`, () => new Intl.NumberFormat(tag, options));
      return normalizeText(formatter.format(amount));
    },
    region: (code: string) => name('region', code),
    language: (code: string) => name('language', code),
    /** `A, B, and C`. */
    list: (items: readonly string[]) => joined('conjunction', items),
    /** `3 hours, 5 minutes`. */
    duration: (parts: readonly (readonly [number, TimeUnit])[]) =>
      joined(
        'unit',
        parts.map(([amount, unit]) => quantity(amount, unit)),
      ),
  };
}
