// Output of the command: results on stdout, messages and errors on stderr.

import { HeddleError } from '../core/errors.ts';

/** Prints a result to stdout. */
export const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Prints a message to stderr. */
export const log = (text: string): void => void process.stderr.write(`${text}\n`);

const debugging = (): boolean => !['', '0', undefined].includes(process.env.HEDDLE_DEBUG);

/** Prints an error as one line, with HEDDLE_DEBUG=1 also its stack. Sets the exit status to 1 unless it is set. */
export function reportError(error: unknown): void {
  const message = (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ').trim();
  const hint = error instanceof HeddleError || debugging() ? '' : ' (set HEDDLE_DEBUG=1 to see the stack)';
  log(`heddle: ${message || 'unknown error'}${hint}`);
  if (debugging() && error instanceof Error) {
    log(error.stack ?? '');
    if (error.cause instanceof Error) log(`caused by: ${error.cause.stack}`);
  }
  process.exitCode ||= 1; // keep 130, the status of an interrupt
}

/** Formats rows as aligned columns; the columns whose numbers are in `right` are aligned to the right. */
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
