// Output of the command: results on stdout, messages and errors on stderr, and the flag `--json [file]`.

import { statSync } from 'node:fs';
import stringWidth from 'string-width';
import { escapeControls, HeddleError, shellQuote } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { writeText } from '../files/files.ts';
import { nodeFiles } from '../host/node-files.ts';
import { errorText } from './message-flags.ts';
import { checkOutputFile, fileExists } from './output-file.ts';
import { stdoutFile } from './stdout-file.ts';
import { padText } from './text-width.ts';

/** A text with control characters except line breaks and tabs escaped: names and texts come from files. */
export const forTerminal = (text: string): string =>
  text.replace(
    /(?![\n\t])\p{Cc}/gu,
    (c) => `\\u${(c.codePointAt(0) as number).toString(16).padStart(4, '0')}`,
  );

/** A text for stdout that is data: escaped on a terminal only. */
export const shownOnTerminal = (text: string): string => (process.stdout.isTTY ? escapeControls(text) : text);

/** Prints a result to stdout; to stderr if stdout gets the file of `--out -`. */
export function print(text: string): void {
  const file = stdoutFile();
  if (file !== undefined) log(text.replaceAll(file, 'stdout'));
  else process.stdout.write(`${process.stdout.isTTY ? escapeControls(text) : forTerminal(text)}\n`);
}

/**
 * What a command prints on stderr. `quiet`: warnings and errors; `normal`: also messages and progress;
 * `verbose`: every event.
 */
export type Verbosity = 'quiet' | 'normal' | 'verbose';

let verbosity: Verbosity = 'normal';

/** Sets the verbosity of this command. */
export const setVerbosity = (level: Verbosity): void => {
  verbosity = level;
};

/** The verbosity of this command. */
export const verbosityOf = (): Verbosity => verbosity;

/** Prints a warning or an error to stderr. */
export const warn = (text: string): void => void process.stderr.write(`${escapeControls(text)}\n`);

/** Prints a message to stderr, unless the command is quiet. */
export const log = (text: string): void => {
  if (verbosity !== 'quiet') warn(text);
};

/** Value of `--json [file]`: true without a file. */
export type JsonOption = string | true | undefined;

const encode = (result: unknown): string => JSON.stringify(result, undefined, 1);

/** Prints a result as text, or as JSON with `--json`; `--json FILE` writes the JSON and prints the text. */
export async function printResult(result: unknown, json: JsonOption, text: () => string): Promise<void> {
  await writeJsonFile(result, json);
  printText(result, json, text);
}

/** Writes a result to the file of `--json FILE`, if one is given. */
export async function writeJsonFile(result: unknown, json: JsonOption): Promise<void> {
  if (typeof json !== 'string') return;
  checkOutputFile('--json', json, { force: true }); // the command may have written a folder there
  await writeText(nodeFiles(), json, `${encode(result)}\n`);
}

/** Prints a result as text, or as JSON with `--json` without a file. */
export const printText = (result: unknown, json: JsonOption, text: () => string): void =>
  print(json === true ? encode(result) : text());

/** Writes a JSON array element by element. */
export function jsonArrayWriter(write: (text: string) => void): {
  add(elements: readonly unknown[]): void;
  /** Ends the array. An array without elements is written only if `complete`, not after an error. */
  close(complete: boolean): void;
} {
  let count = 0;
  return {
    add(elements) {
      write(elements.map((element) => `${count++ === 0 ? '[' : ','}\n ${JSON.stringify(element)}`).join(''));
    },
    close(complete) {
      if (count > 0) write('\n]\n');
      else if (complete) write('[]\n');
    },
  };
}

const debugging = (): boolean =>
  verbosity === 'verbose' || !['', '0', undefined].includes(process.env.HEDDLE_DEBUG);

/**
 * Prints an error as one line, with --verbose or HEDDLE_DEBUG=1 also its stack. Sets the exit status to 1
 * unless it is set.
 */
export function reportError(error: unknown): void {
  const message = errorText(error)
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  const hint = error instanceof HeddleError || debugging() ? '' : ' (--verbose shows the stack)';
  warn(`heddle: ${message || 'unknown error'}${hint}`);
  if (debugging() && error instanceof Error) {
    warn(error.stack ?? '');
    if (error.cause instanceof Error) warn(`caused by: ${error.cause.stack}`);
  }
  process.exitCode ||= 1; // keep 130, the status of an interrupt
}

/** Formats rows as aligned columns; the columns whose numbers are in `right` are aligned to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [c, cell] of row.entries()) widths[c] = Math.max(widths[c] ?? 0, stringWidth(cell));
  return rows
    .map((row) =>
      row
        .map((cell, c) => padText(cell, widths[c] ?? 0, right.includes(c)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/**
 * Joins `--json` and the file after it to `--json=FILE`. If the next word is not a file, it stays an argument
 * after `--json=`. A word is a file if it ends in .json or .jsonl, or has a folder or an extension and no
 * space. Throws a HeddleError if the file exists and is not JSON: it may be an input of the command.
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
  try {
    const stats = statSync(word);
    if (!stats.isFile()) return !stats.isDirectory(); // a device
  } catch {
    return true; // a new file
  }
  const remedy = msg`put it before --json if the command reads it, or overwrite it with --json=${shellQuote(word)} --force`;
  throw fileExists('--json', word, remedy);
}
