// Flags for files of pairs: files with both sides as arguments, or parallel files; columns and format.

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { features } from '../features/features.ts';
import { pairFormatLabels } from '../features/pair-format-labels.ts';
import { lineFormats } from '../text/corpus/line-formats.ts';
import { type PairFiles, pathsOf } from '../text/corpus/pair-files.ts';
import { tagModes } from '../text/corpus/pair-reader.ts';

/** Values of the flags. */
export interface PairFlags extends Pick<PairFiles, 'format' | 'sourceColumn' | 'targetColumn' | 'tags'> {
  source?: string[];
  target?: string[];
}

/** Readers of pairs whose records are not lines. */
export const { pairReaders } = features;

/** Description of files with both sides. */
export const pairsHelp = `${pairFormatLabels} by their extensions, also gzipped; - is stdin`;

/** Adds the flags. */
export const addPairFlags = (command: Command): Command =>
  command
    .optionsGroup('Pairs:')
    .option('--source <file...>', 'parallel files instead of files of pairs: one source text per line')
    .option('--target <file...>', 'target texts on the same lines, one file for each source file')
    .option(
      '--source-column <name>',
      'column of the source in CSV or TSV with a header, field in JSON, language in TMX or XLIFF (default: source)',
    )
    .option(
      '--target-column <name>',
      'column of the target, field in JSON, e.g. translation.es, or language (default: target)',
    )
    .addOption(
      new Option('--format <name>', 'format of the files (default: by their extension)').choices([
        ...Object.keys(lineFormats),
        ...pairReaders.map(({ format }) => format),
      ]),
    )
    .addOption(
      new Option(
        '--tags <mode>',
        'inline elements of TMX and XLIFF: drop, or placeholders that a model learns to copy (default: drop)',
      ).choices(tagModes),
    );

/**
 * The files in the flags, with absolute paths; undefined if there are none. `flags`: names of the flags, for
 * errors. Throws a HeddleError for both kinds of files, or for only one side.
 */
export function pairFilesOf(
  files: readonly string[] | undefined,
  { source, target, format, sourceColumn, targetColumn, tags }: PairFlags,
  flags = { source: '--source', target: '--target' },
): PairFiles | undefined {
  const absolute = (list: readonly string[]) => list.map((path) => (path === '-' ? path : resolve(path)));
  if (!source !== !target)
    throw new HeddleError(
      msg`${source ? flags.source : flags.target} needs ${source ? flags.target : flags.source} too`,
    );
  if (files?.length && source)
    throw new HeddleError(
      msg`${files[0]} and ${flags.source} ${source[0]} exclude each other; give one kind of files`,
    );
  if (source && target) {
    if (source.length !== target.length)
      throw new HeddleError(
        msg`${flags.source} has ${source.length} files, ${flags.target} ${target.length}; each needs the other side`,
      );
    return { source: absolute(source), target: absolute(target) };
  }
  return files?.length ? { files: absolute(files), format, sourceColumn, targetColumn, tags } : undefined;
}

/** Throws a HeddleError if stdin is named more than once. */
export function checkStdin(given: readonly (PairFiles | undefined)[]): void {
  const count = given.flatMap((set) => (set ? pathsOf(set) : [])).filter((path) => path === '-').length;
  if (count > 1) throw new HeddleError('- (stdin) is named twice; it can be read once');
}
