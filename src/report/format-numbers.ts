// Numbers as people read them.

/** Three significant digits without an exponent where that is short: `0.0421`, `12.3`, `1,240`, `1.2e-5`; `–` for what is none. */
export function short(x: number): string {
  if (!Number.isFinite(x)) return '–';
  const size = Math.abs(x);
  if (size === 0) return '0';
  if (size < 1e-3) return x.toExponential(2).replace(/\.?0+e/, 'e');
  if (size >= 100) return whole(x);
  return String(Number(x.toPrecision(3)));
}

/** `1,240,000`. */
export const whole = (x: number): string => (Number.isFinite(x) ? Math.round(x).toLocaleString('en') : '–');

/** A share from 0 to 1: `97.2 %`. */
export const percent = (share: number): string => (Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : '–');

/** `512 B`, `3.2 KiB`, `12.3 MiB`, `1.2 GiB`. */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  let x = n;
  for (; x >= 1024 && i < units.length - 1; i++) x /= 1024;
  return `${i === 0 ? x : x.toFixed(1)} ${units[i]}`;
}

/** `48 s`, `2 min 5 s`, `1 h 3 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
