// The results of the lab as a table for issues and spreadsheets: Markdown and CSV.

import type { KernelResult } from '../../src/bench/check-kernel.ts';
import { rateOf, shareOfRoof } from '../../src/bench/roofline-model.ts';
import { disturbance } from '../../src/bench/spread.ts';
import type { Roofs } from '../../src/engine/index.ts';

const titles = ['kernel', 'variant', 'µs', 'spread %', 'GFLOP/s', 'GB/s', '% of roofline', 'largest error'];

/** Three significant digits without an exponent; empty if the value is unknown. */
const digits = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(3))) : '');

/** A row for the fastest variant of each kernel. */
function rowsOf(kernels: readonly KernelResult[], roofs: Roofs | undefined): string[][] {
  return kernels.flatMap((kernel) => {
    const [best] = kernel.variants;
    if (!best) return [];
    const { ms = Number.NaN } = best;
    const numbers = [
      1000 * ms,
      100 * disturbance(kernel),
      rateOf(kernel, best),
      kernel.bytes / ms / 1e6,
      roofs ? 100 * shareOfRoof(kernel, best, roofs) : Number.NaN,
    ];
    return [[kernel.name, best.variant, ...numbers.map(digits), best.error.toExponential(1)]];
  });
}

/** The table in Markdown, with a line that names the machine. */
export function markdownTable(
  kernels: readonly KernelResult[],
  roofs: Roofs | undefined,
  machine: string,
): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rows = rowsOf(kernels, roofs).map(line);
  return [machine, '', line(titles), line(titles.map((_, i) => (i < 2 ? '---' : '---:'))), ...rows, ''].join(
    '\n',
  );
}

/** The table as CSV. */
export function csvTable(kernels: readonly KernelResult[], roofs: Roofs | undefined): string {
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [titles, ...rowsOf(kernels, roofs)].map((row) => `${row.map(cell).join(',')}\n`).join('');
}
