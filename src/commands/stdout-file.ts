// `--out -`: the command writes a temporary file, as it writes any other, and the file is copied to stdout when it is
// complete. What the command says goes to stderr then.

import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';

let path: string | undefined;

/** The temporary file that is copied to stdout; undefined without `--out -`. */
export const stdoutFile = (): string | undefined => path;

/** Gives a command whose `--out` is one file, and `-`, a temporary file. Throws a HeddleError if `--json` needs stdout. */
export function takeStdout(command: Command): void {
  path = undefined;
  const option = command.options.find(({ flags }) => flags.startsWith('--out <file>'));
  const { out, json } = command.opts<{ out?: string; json?: string | true }>();
  // A command whose default is stdout writes to it as it goes.
  if (!option || out !== '-' || option.defaultValue === '-') return;
  if (json === true)
    throw new HeddleError('--json and --out - both write to stdout; name a file for one of them');
  const folder = mkdtempSync(join(tmpdir(), 'heddle-stdout-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  path = join(folder, 'out');
  command.setOptionValueWithSource('out', path, 'cli');
}

/** Copies the file to stdout. */
export async function copyToStdout(): Promise<void> {
  if (path === undefined || !existsSync(path)) return;
  await pipeline(createReadStream(path), process.stdout, { end: false });
  rmSync(dirname(path), { recursive: true, force: true });
}
