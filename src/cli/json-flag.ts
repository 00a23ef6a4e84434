// `--json [file]`: decides whether the next word is the file, or an argument of the command such as a text to translate.

import { statSync } from 'node:fs';
import { HeddleError, shellQuote } from '../core/errors.ts';

/**
 * Joins `--json` and the file after it to `--json=FILE`. If the next word is not a file, it stays an argument after
 * `--json=`. A word is a file if it ends in .json or .jsonl, or has a folder or an extension and no space. Throws a
 * HeddleError if the file exists and is not JSON: it may be an input of the command.
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

/** Whether a path is a file or a folder; a device is neither. */
function kindOf(path: string): 'file' | 'folder' | undefined {
  try {
    const found = statSync(path);
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : undefined;
  } catch {
    return undefined;
  }
}
