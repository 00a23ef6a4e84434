// Reads TSV corpora from memory: source, tab, target; further columns are ignored or references. Invalid
// lines are reported. CSV is converted to TSV.

import { check } from '../../core/errors.ts';
import { decodeUtf8 } from '../../files/utf8.ts';
import { type BadLine, checkParsed, linesOf, parseCsv, parseRecords } from './pair-records.ts';
import type { Pair } from './pairs.ts';

/** The contents of a TSV file. */
export interface TsvCorpus {
  /** The valid pairs, in order. */
  readonly pairs: Pair[];
  /** The lines that are no pair, with the reason. */
  readonly bad: BadLine[];
  /** Number of lines. */
  readonly lines: number;
}

/**
 * Reads a TSV corpus: UTF-8 with or without a byte-order mark, lines ending in LF or CRLF. Texts are
 * normalized (NFC, single spaces). `references` is the number of columns after the source that are
 * references; the first that is not empty is the target. Throws a HeddleError that starts with `name` if the
 * file is empty, is not UTF-8 (with the line number), or has no pairs.
 *
 * @example
 * const { pairs, bad } = readTsv(new Uint8Array(await file.arrayBuffer()), file.name);
 * if (bad.length > 0) console.warn(`${bad.length} bad lines`);
 */
export function readTsv(bytes: Uint8Array, name: string, references = 1): TsvCorpus {
  check(bytes.length > 0, 'the file is empty; each line of a corpus is a source, a tab and a target', {
    area: name,
  });
  const block = { name, format: 'tsv', line: 1, bytes, columns: [0, 1], references } as const;
  const { columns, ...corpus } = parseRecords(block, linesOf(decodeUtf8(bytes, name)));
  checkParsed(name, [{ columns, bad: corpus.bad }], corpus.pairs.length);
  return corpus;
}

/**
 * Converts a CSV corpus to TSV: the columns named `source` and `target`, or the first two of a file without
 * such a header. Throws a HeddleError that starts with `name` if the file is not UTF-8 or a quoted field does
 * not end.
 *
 * @example
 * const { pairs } = readTsv(await csvToTsv(bytes, 'pairs.csv'), 'pairs.csv');
 */
export async function csvToTsv(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  const rows = await parseCsv(decodeUtf8(bytes, name).replace(/^\ufeff/, ''), name);
  const head = (rows[0] ?? []).map((cell) => cell.trim().toLowerCase());
  const [from, to] = [head.indexOf('source'), head.indexOf('target')];
  const named = from >= 0 && to >= 0;
  const oneLine = (cell = '') => cell.replace(/\s+/g, ' ').trim();
  const lines = (named ? rows.slice(1) : rows).map(
    (row) => `${oneLine(row[named ? from : 0])}\t${oneLine(row[named ? to : 1])}\n`,
  );
  return new TextEncoder().encode(lines.join(''));
}
