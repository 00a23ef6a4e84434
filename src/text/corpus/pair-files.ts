// Files of sentence pairs: their names and formats.

import { check } from '../../core/errors.ts';
import { listed, msg } from '../../core/message.ts';
import { type LineFormat, lineFormats } from './line-formats.ts';
import type { PairReader, TagMode } from './pair-reader.ts';

/** Name of a format: one of lines, or one with a reader of its own (pair-reader.ts). */
export type PairFormat = LineFormat | (string & {});

/**
 * Files of pairs; plain JSON, if they are paths. Each may be gzipped, and `-` is stdin. Several files are read one
 * after the other.
 */
export interface PairFiles<Path = string> {
  /** Files with both sides. */
  readonly files?: readonly Path[];
  /** Parallel files, instead of `files`: line i of a source file and of its target file are a pair. */
  readonly source?: readonly Path[];
  /** Files of the targets, as many as `source`. */
  readonly target?: readonly Path[];
  /** Format of `files`. Default: by their names (.csv, .jsonl, .ndjson, .json, .tmx, .xliff, ...), else TSV. */
  readonly format?: PairFormat;
  /**
   * Names of the columns, or paths of the fields in JSON as `translation.en`. Default `source` and `target`;
   * a TSV file has a header only if they are given. In TMX and XLIFF: languages, as `en` and `es-MX`; default
   * the source language of the file and its only other language.
   */
  readonly sourceColumn?: string;
  /** The same for the target. */
  readonly targetColumn?: string;
  /**
   * Inline elements of TMX and XLIFF: dropped, or placeholders in the private use area of Unicode, the same on
   * both sides, for a model that shall copy them. ['drop']
   */
  readonly tags?: TagMode;
}

/** Files of the training, dev and test pairs of a corpus. */
export interface CorpusFiles<Path = string> {
  /** Files of the pairs to train on. */
  readonly train: PairFiles<Path>;
  /** Files of the dev pairs. Default: a share of the training pairs (`heldOut`). */
  readonly dev?: PairFiles<Path>;
  /** Files of the test pairs. Default: a share of the training pairs (`heldOut`). */
  readonly test?: PairFiles<Path>;
}

/** All files of pairs by name, both sides. */
export const pathsOf = ({ files = [], source = [], target = [] }: PairFiles): string[] => [
  ...files,
  ...source,
  ...target,
];

/** Files of pairs in messages: `train.tsv`, or `train.en, train.es`. */
export const nameOfPairs = (given: PairFiles): string =>
  pathsOf(given)
    .map((path) => (path === '-' ? 'stdin' : path))
    .join(', ');

/** The end of a name after its last dot, without `.gz`. */
const extensionOf = (path: string): string => /\.(\w+)(?:\.gz)?$/i.exec(path)?.[1]?.toLowerCase() ?? '';

/** The reader of a file, by its name unless the format is given; undefined for files of lines. */
export const readerOf = <Reader extends PairReader>(
  path: string,
  format: PairFormat | undefined,
  readers: readonly Reader[],
): Reader | undefined =>
  readers.find((reader) =>
    format === undefined ? reader.extensions.includes(extensionOf(path)) : reader.format === format,
  );

/**
 * The format of a file of lines, by its name unless given; TSV for unknown names. Throws a HeddleError if there is no
 * such format.
 */
export function lineFormatOf(
  path: string,
  format: PairFormat | undefined,
  readers: readonly PairReader[] = [],
): LineFormat {
  const names = Object.keys(lineFormats) as LineFormat[];
  if (format !== undefined) {
    const found = names.find((name) => name === format);
    const all = [...names, ...readers.map((reader) => reader.format)];
    check(found, msg`there is no format ${format}; the formats are ${listed(all)}`, { area: path });
    return found;
  }
  const extension = extensionOf(path);
  return (
    names.find((name) => (lineFormats[name].extensions as readonly string[]).includes(extension)) ?? 'tsv'
  );
}
