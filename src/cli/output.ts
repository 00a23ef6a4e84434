// What the command prints: results to stdout, everything else to stderr, errors as one line.

import { HeddleError } from '../core/errors.ts';

/** Prints a result. */
export const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Tells something beside the result. */
export const tell = (text: string): void => void process.stderr.write(`${text}\n`);

const debugging = (): boolean => !['', '0', undefined].includes(process.env.HEDDLE_DEBUG);

/** Tells an error as one line, `heddle: what`, and sets the exit status, to 1 unless it is set. With HEDDLE_DEBUG=1 the stack follows. */
export function reportError(error: unknown): void {
  const message = (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ').trim();
  const hint = error instanceof HeddleError || debugging() ? '' : ' (HEDDLE_DEBUG=1 shows where)';
  tell(`heddle: ${message || 'unknown error'}${hint}`);
  if (debugging() && error instanceof Error) {
    tell(error.stack ?? '');
    if (error.cause instanceof Error) tell(`caused by: ${error.cause.stack}`);
  }
  process.exitCode ||= 1; // 130 stays
}

/** Columns of text, aligned; the columns in `right` (by number) to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows) for (const [c, cell] of row.entries()) widths[c] = Math.max(widths[c] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, c) => (right.includes(c) ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
