// How the lab writes numbers.

/** Three significant digits, with no exponent where people would not use one. */
export function short(x: number): string {
  if (!Number.isFinite(x)) return '—';
  if (x === 0) return '0';
  if (x >= 1e6 || x < 1e-4) return x.toExponential(1).replace('e+', 'e').replace('e-', 'e−');
  return x >= 100 ? Math.round(x).toLocaleString('en').replaceAll(',', '\u202f') : x.toPrecision(3);
}

/** Milliseconds in the unit that fits. */
export const time = (ms: number): string =>
  ms >= 1000 ? `${short(ms / 1000)} s` : ms >= 1 ? `${short(ms)} ms` : `${short(ms * 1000)} µs`;

/** A part of a whole, in percent. */
export const percent = (share: number): string =>
  Number.isFinite(share) ? `${share < 0.0995 ? (100 * share).toFixed(1) : Math.round(100 * share)} %` : '—';

/** An error such as 2e-7; `exact` where there is none. */
export const errorText = (error: number): string =>
  error === 0 ? 'exact' : Number.isFinite(error) ? error.toExponential(0).replace('e-', 'e−') : 'no number';

/** Half the distance of the quartiles, in percent of the median. */
export const spread = ({ ms, low, high }: { ms: number; low: number; high: number }): string =>
  `± ${((50 * (high - low)) / ms).toFixed(ms > 0 && (high - low) / ms >= 0.2 ? 0 : 1)} %`;

/** `1 kernel`, `2 kernels`. */
export const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
