// `-` for an input that a command reads whole, such as a glossary or a configuration: stdin is copied to a temporary file
// first, which the command reads as it reads any other. Pairs and texts are read as they come, and know `-` themselves.

import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';

/** Flags of files by how they are used. A test holds that each flag of a file is in one list. */
export const fileFlags = {
  /** Inputs that are read whole. */
  whole: [
    ...['--config', '--tokenizer-file', '--source-tokenizer', '--target-tokenizer', '--guided-alignment'],
    ...['--memory', '--glossary', '--compare', '--outputs', '--api-keys', '--shortlist', '--calibration'],
    '--baseline',
  ],
  /** Inputs that are read as they come. */
  streamed: [
    ...['--input', '--source', '--target', '--data'],
    ...['--dev', '--dev-source', '--dev-target', '--test', '--test-source', '--test-target'],
  ],
  /** Outputs beside `--out`; none is stdout. */
  written: [
    ...['--rejected', '--report', '--save-config', '--lexical-table', '--comet', '--trace', '--alignments'],
    '--json',
  ],
};

/** Commands whose files are read whole. */
const wholeArguments = ['transcribe', 'language'];

/** A value with `path` in place of `-`. */
const withPath = (value: unknown, path: string): unknown =>
  Array.isArray(value) ? value.map((each) => withPath(each, path)) : value === '-' ? path : value;

const isStdin = (value: unknown): boolean => [value].flat().includes('-');

/**
 * Copies stdin to a temporary file if an input that is read whole is `-`, and gives the command its path. Throws a
 * HeddleError if a second input is `-`, or an output.
 */
export async function takeStdin(command: Command): Promise<void> {
  const flagsWithStdin = command.options.filter(
    (option) => /<(file|pairs)/.test(option.flags) && isStdin(command.getOptionValue(option.attributeName())),
  );
  const named = (flags: readonly string[]) =>
    flagsWithStdin.filter(({ long }) => long && flags.includes(long));
  for (const { long } of named(fileFlags.written))
    throw new HeddleError(msg`only --out writes to stdout; name a file, or ./- if it is the name of one`, {
      area: `${long} -`,
    });
  const whole = named(fileFlags.whole);
  const isWholeArgument = wholeArguments.includes(command.name()) && isStdin(command.args);
  if (whole.length === 0 && !isWholeArgument) return;
  const others = [...named(fileFlags.streamed), ...command.args.filter((word) => word === '-')];
  if (whole.length + others.length > 1)
    throw new HeddleError('- (stdin) is named twice; it can be read once');
  const folder = mkdtempSync(join(tmpdir(), 'heddle-stdin-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'stdin');
  await pipeline(process.stdin, createWriteStream(path));
  for (const option of whole) {
    const name = option.attributeName();
    command.setOptionValueWithSource(name, withPath(command.getOptionValue(name), path), 'cli');
  }
  command.processedArgs = command.processedArgs.map((value) =>
    isWholeArgument ? withPath(value, path) : value,
  );
}
