// Numbers, dates and times as the pages show them: all in the language of the page, which is that of its texts.

import * as english from '../../src/core/format-numbers.ts';
import { language } from './page-texts.ts';

const decimalPoint =
  new Intl.NumberFormat(language).formatToParts(0.5).find(({ type }) => type === 'decimal')?.value ?? '.';

/** A number with a decimal point, and its unit, with the decimal sign of the language. */
export const inDigits = (text: string): string => text.replace(/(?<=\d)\.(?=\d)/, decimalPoint);

/** A number with a fixed number of digits after the decimal sign. */
export const fixed = (x: number, digits: number): string => inDigits(x.toFixed(digits));

/** The nearest integer, `1,240,000`; `–` if not finite. */
export const formatInteger = (x: number): string =>
  Number.isFinite(x) ? Math.round(x).toLocaleString(language) : '–';

/** Three significant digits as in the library, `0.0421`, `12.3`, `1,240`, `3.1e12`; `–` if not finite. */
export const formatNumber = (x: number): string =>
  Math.abs(x) >= 100 && Math.abs(x) < 1e7 ? formatInteger(x) : inDigits(english.formatNumber(x));

/** A share from 0 to 1 in percent, `97.2 %`; `–` if not finite. */
export const formatPercent = (share: number): string => inDigits(english.formatPercent(share));

/** A size in the largest unit that fits: `512 B`, `3.2 KiB`, `12.3 MiB`, `1.2 GiB`. */
export const formatBytes = (n: number): string => inDigits(english.formatBytes(n));

/** Seconds as `4.8 s`, `48 s`, `2 min 5 s`, `1 h 3 min`; `–` if not finite. */
export const formatDuration = (seconds: number): string => inDigits(english.formatDuration(seconds));

/** A day and time, `Nov 29, 2026, 7:16 PM`; `time` in milliseconds since 1970. */
export const formatMoment = (time: number): string =>
  new Date(time).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' });

/** A time of the day with seconds, `7:16:05 PM`; `time` in milliseconds since 1970. [now] */
export const formatTime = (time = Date.now()): string =>
  new Date(time).toLocaleTimeString(language, { timeStyle: 'medium' });

/** A position on an axis of steps, `1,200`; empty between two steps. */
export const formatTick = (step: number): string => (Number.isInteger(step) ? formatInteger(step) : '');
