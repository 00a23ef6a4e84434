// Files that a command writes for the user: an existing one is not overwritten by accident, since it may be an
// input.

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { HeddleError, shellQuote } from '../core/errors.ts';

/** Throws a HeddleError if the name of a file or folder is empty. `what`: the flag or argument. */
export function checkNamed(what: string, name: string, kind: 'file' | 'folder' = 'folder'): void {
  if (name.trim() === '') throw new HeddleError(`${what} is empty; name a ${kind}`, { kind: 'input' });
}

/** Whether a path is a regular file; a device or a pipe can be written without a loss. */
export const isExistingFile = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/** The error of an output file that exists. `remedy`: how to overwrite it. */
export const fileExists = (flag: string, path: string, remedy: string): HeddleError =>
  new HeddleError(`${flag} ${shellQuote(path)}: this file exists; ${remedy}`, { kind: 'input' });

/**
 * Throws a HeddleError if a command may not write a file: its name is empty, it is one of the `inputs` of the
 * command, or it exists and `force` is not set.
 */
export function checkOutputFile(
  flag: string,
  path: string,
  { force = false, inputs = [] }: { readonly force?: boolean; readonly inputs?: readonly string[] },
): void {
  checkNamed(flag, path, 'file');
  if (inputs.some((input) => input !== '-' && resolve(input) === resolve(path)))
    throw new HeddleError(`${flag} ${shellQuote(path)}: the command reads this file; name another file`, {
      kind: 'input',
    });
  if (!force && isExistingFile(path))
    throw fileExists(flag, path, '--force overwrites it, or name another file');
}
