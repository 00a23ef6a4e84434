// Numbers, dates and times as the pages show them: all in the language of the page, which is that of its texts.

import { formatInteger } from '../../src/core/format-numbers.ts';

/** The language of the page, as a BCP 47 tag: the one of its document. */
const language = globalThis.document?.documentElement.lang || 'en';

/** A day and time, `Nov 29, 2026, 7:16 PM`; `time` in milliseconds since 1970. */
export const formatMoment = (time: number): string =>
  new Date(time).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' });

/** A time of the day with seconds, `7:16:05 PM`; `time` in milliseconds since 1970. [now] */
export const formatTime = (time = Date.now()): string =>
  new Date(time).toLocaleTimeString(language, { timeStyle: 'medium' });

/** A position on an axis of steps, `1,200`; empty between two steps. */
export const formatTick = (step: number): string => (Number.isInteger(step) ? formatInteger(step) : '');
