// Numbers as text for people: tables, pages, errors.

/**
 * Three significant digits: `0.0421`, `12.3`, `1,240`; below 0.001 and from 10 million with an exponent, `1.2e-5`,
 * `3.1e12`; `–` if not finite.
 */
export function formatNumber(x: number): string {
  if (!Number.isFinite(x)) return '–';
  const size = Math.abs(x);
  if (size === 0) return '0';
  if (size < 1e-3 || size >= 1e7) return x.toExponential(2).replace(/\.?0*e\+?/, 'e');
  if (size >= 100) return formatInteger(x);
  return String(Number(x.toPrecision(3)));
}

/** The nearest integer, `1,240,000`; `–` if not finite. */
export const formatInteger = (x: number): string =>
  Number.isFinite(x) ? Math.round(x).toLocaleString('en') : '–';

/** A share from 0 to 1 in percent, `97.2 %`; `–` if not finite. */
export const formatPercent = (share: number): string =>
  Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : '–';

/** A size in the largest unit that fits: `512 B`, `3.2 KiB`, `12.3 MiB`, `1.2 GiB`. */
export function formatBytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  let x = n;
  for (; x >= 1024 && i < units.length - 1; i++) x /= 1024;
  return `${i === 0 ? x : x.toFixed(1)} ${units[i]}`;
}

/** A size in MiB with two digits, `2.87 MiB`: one unit for all, to compare sizes. */
export const formatMiB = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MiB`;

/** A limit of WebGPU with its unit: sizes are bytes, `128.0 MiB`, all others numbers. */
export const formatLimit = (name: string, n: number): string =>
  /(?:Size|Stride|Alignment|BytesPerSample)$/.test(name) ? formatBytes(n) : String(n);

/** Seconds as `4.8 s`, `48 s`, `2 min 5 s`, `1 h 3 min`; `–` if not finite. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
