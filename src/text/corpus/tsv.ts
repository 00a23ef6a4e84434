// Corpora in TSV files: source, tab, target; further columns are ignored, or further references of a target. Lines that are no pair are counted and named.
import { check, HeddleError } from '../../core/errors.ts';
import { normalizeText, type Pair } from './pairs.ts';

/** A line that is no pair, and why. Lines are counted from 1. */
export interface BadLine {
  readonly line: number;
  readonly reason: 'empty line' | 'no tab' | 'empty source' | 'empty target';
}

/** What a TSV file holds. */
export interface TsvCorpus {
  readonly pairs: Pair[];
  readonly bad: BadLine[];
  /** Lines in all. */
  readonly lines: number;
}

/**
 * Reads a TSV corpus from the bytes of a file: UTF-8, with or without a byte-order mark, lines ended by LF or CRLF. Sides come in
 * NFC with single spaces. Throws a HeddleError, with `name` in it, for an empty file, for bytes that are not UTF-8 (with the line),
 * where no line has a tab, and where no line is a pair. `references`: columns after the source that are one each; the first that is filled
 * is the target.
 */
export function readTsv(bytes: Uint8Array, name: string, references = 1): TsvCorpus {
  check(
    bytes.length > 0,
    `${name}: the file is empty; a corpus has a source and a target, with a tab between, on each line`,
  );
  const lines = decode(bytes, name).split('\n');
  if (lines.at(-1) === '') lines.pop();
  const pairs: Pair[] = [];
  const bad: BadLine[] = [];
  let tabs = false;
  for (const [i, line] of lines.entries()) {
    const columns = line.split('\t');
    tabs ||= columns.length > 1;
    const source = normalizeText(columns[0] as string);
    const filled = columns
      .slice(1, 1 + references)
      .map(normalizeText)
      .filter((text) => text !== '');
    const [target, ...others] = filled;
    if (source !== '' && target !== undefined) pairs.push({ source, target, ...(others.length > 0 && { others }) });
    else bad.push({ line: i + 1, reason: reasonOf(columns.length, source, line) });
  }
  check(tabs, `${name}: no line has a tab; a corpus has a source and a target, with a tab between, on each line`);
  check(pairs.length > 0, () => `${name}: no line is a pair (${describeBad(bad)})`);
  return { pairs, bad, lines: lines.length };
}

const reasonOf = (columns: number, source: string, line: string): BadLine['reason'] => {
  if (line.trim() === '') return 'empty line';
  if (columns === 1) return 'no tab';
  return source === '' ? 'empty source' : 'empty target';
};

/** `3 bad lines: 4 (no tab), 9 (empty target), 12 (no tab)`, of many only the first ten. Empty where none is bad. */
export function describeBad(bad: readonly BadLine[]): string {
  if (bad.length === 0) return '';
  const named = bad.slice(0, 10).map(({ line, reason }) => `${line} (${reason})`);
  const more = bad.length > 10 ? `, and ${bad.length - 10} more` : '';
  return `${bad.length} bad ${bad.length === 1 ? 'line' : 'lines'}: ${named.join(', ')}${more}`;
}

/** Text of UTF-8 bytes; a HeddleError names the first line that is not. */
function decode(bytes: Uint8Array, name: string): string {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  try {
    return utf8.decode(bytes);
  } catch {
    let line = 1;
    for (let start = 0; start < bytes.length; line++) {
      const newline = bytes.indexOf(10, start);
      const end = newline < 0 ? bytes.length : newline + 1;
      try {
        utf8.decode(bytes.subarray(start, end));
      } catch {
        break;
      }
      start = end;
    }
    throw new HeddleError(`${name}: line ${line} is not UTF-8; convert the file, for example with iconv -t UTF-8`);
  }
}
