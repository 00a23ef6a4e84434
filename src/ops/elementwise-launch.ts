// How elementwise kernels divide their work (shaders/lib/elementwise.wgsl): cells of four numbers, one or sixteen a thread. On a GPU
// threads cost nothing; on an adapter that is a CPU each costs as much as several cells.

import { gridOf } from './op.ts';

const cells: Readonly<Record<string, number>> = { 'per-1': 1, 'per-16': 16 };

/** The variants of every elementwise op. */
export const elementwiseVariants = (): readonly string[] => Object.keys(cells);

/** Cells a thread in a variant. */
export function cellsPerThread(variant: string): number {
  const PER = cells[variant];
  if (PER === undefined) throw new Error(`elementwise: there is no variant ${variant}`);
  return PER;
}

/** The constants and the grid of a variant for `count` numbers. */
export function elementwise(
  variant: string,
  count: number,
): { constants: { PER: number }; grid: [number, number, number] } {
  const PER = cellsPerThread(variant);
  return { constants: { PER }, grid: gridOf(Math.ceil(count / 4), 256 * PER) };
}
