// `--json [file]`: whether the word after it is the file or an argument of the command, as a text to translate.

import { statSync } from 'node:fs';
import { HeddleError, shellQuote } from '../core/errors.ts';

/**
 * Joins `--json` with the file after it, `--json=FILE`, and writes `--json=` before a word that is no file, which stays an
 * argument. A file is what ends in .json or .jsonl, and what has a folder or an extension and no space. Throws a HeddleError if
 * another file would be overwritten: it may be a file of pairs or texts.
 */
export function jsonFlags(args: readonly string[]): string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const [arg = '', word = '-'] = args.slice(i, i + 2);
    if (arg !== '--json' || i >= end || word.startsWith('-')) joined.push(arg);
    else if (isFile(word)) joined.push(`--json=${args[++i]}`);
    else joined.push('--json=');
  }
  return joined;
}

/** Value of `--json=`: a file, or true. */
export const jsonValue = (file: string): string | true => file || true;

function isFile(word: string): boolean {
  if (/\.jsonl?$/i.test(word)) return true;
  if (/\s/.test(word) || !/[\\/]|\.\w+$/.test(word)) return false;
  const found = kindOf(word);
  if (found === 'file')
    throw new HeddleError(
      `--json ${shellQuote(word)}: this file exists; put it before --json if the command reads it, or overwrite it with --json=${shellQuote(word)}`,
    );
  return found !== 'folder';
}

/** What is at a path: a device is neither a file nor a folder. */
function kindOf(path: string): 'file' | 'folder' | undefined {
  try {
    const found = statSync(path);
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : undefined;
  } catch {
    return undefined;
  }
}
