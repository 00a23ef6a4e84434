// Compiled kernels as rows of one table for all vendors.

import { shareOf } from './listing.ts';
import type { CompiledKernel } from './vendor-listings.ts';

/** One compiled kernel of a GPU; `from`: the library that it is of. */
export interface KernelRow extends Omit<CompiledKernel, 'assembly'> {
  readonly gpu: string;
  readonly from: string;
  readonly name: string;
}

const head = [
  ...['gpu', 'simd', 'inst', 'loop', 'fma', 'share', 'round', 'mem/fma', 'regs', 'spills:fills', 'in loop'],
  ...['scratch', 'threads', 'cycles', 'kernel'],
];

const dash = (value: number | undefined): string => (value === undefined ? '-' : `${+value.toPrecision(6)}`);

function cells(row: KernelRow): string[] {
  const { loop, round, from, name } = row;
  return [
    row.gpu,
    dash(row.simd),
    String(row.instructions),
    row.looped ? String(loop.instructions) : '-',
    loop.matrix > 0 ? `${loop.matrix}m` : dash(loop.fma),
    shareOf(loop).toFixed(2),
    shareOf(round).toFixed(2),
    loop.fma > 0 ? (loop.mem / loop.fma).toFixed(2) : '-',
    dash(row.registers),
    row.fills === undefined ? String(row.spills) : `${row.spills}:${row.fills}`,
    String(loop.spill),
    dash(row.scratch),
    dash(row.threads),
    dash(row.cycles),
    from === 'heddle' ? name : `${from}: ${name}`,
  ];
}

/** One line for each kernel; docs/gpu-compiler.md explains the columns. */
export function table(rows: readonly KernelRow[]): string {
  const lines = [head, ...rows.map(cells)];
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const isText = (i: number) => i === 0 || i === head.length - 1;
  return lines
    .map((line) =>
      line
        .map((cell, i) => (isText(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Multiply-adds of a loop from which a kernel counts as hot. */
const hotMultiplyAdds = 32;

/** Whether most of a kernel's time is arithmetic: many multiply-adds or matrix instructions in a loop. */
export const isHot = ({ looped, loop }: KernelRow): boolean =>
  looped && (loop.fma >= hotMultiplyAdds || loop.matrix > 0);
