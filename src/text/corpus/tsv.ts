// Corpora in TSV files: source, tab, target; further columns are ignored or additional references. Invalid lines are
// reported.
import { check, HeddleError } from '../../core/errors.ts';
import { normalizeText, type Pair } from './pairs.ts';

/** An invalid line, by its number from 1, and the reason. */
export interface BadLine {
  readonly line: number;
  readonly reason: 'empty line' | 'no tab' | 'empty source' | 'empty target';
}

/** The contents of a TSV file. */
export interface TsvCorpus {
  readonly pairs: Pair[];
  readonly bad: BadLine[];
  /** Number of lines. */
  readonly lines: number;
}

/**
 * Reads a TSV corpus: UTF-8 with or without a byte-order mark, lines ending in LF or CRLF. Texts are normalized (NFC,
 * single spaces). `references` is the number of columns after the source that are references; the first that is not
 * empty is the target. Throws a HeddleError that starts with `name` if the file is empty, is not UTF-8 (with the line
 * number), or has no pairs.
 *
 * @example
 * const { pairs, bad } = readTsv(new Uint8Array(await file.arrayBuffer()), file.name);
 * if (bad.length > 0) console.warn(describeBad(bad));
 */
export function readTsv(bytes: Uint8Array, name: string, references = 1): TsvCorpus {
  check(bytes.length > 0, `${name}: the file is empty; each line of a corpus is a source, a tab and a target`);
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
  check(tabs, `${name}: no line has a tab; each line of a corpus is a source, a tab and a target`);
  check(pairs.length > 0, () => `${name}: no line is a valid pair (${describeBad(bad)})`);
  return { pairs, bad, lines: lines.length };
}

const reasonOf = (columns: number, source: string, line: string): BadLine['reason'] => {
  if (line.trim() === '') return 'empty line';
  if (columns === 1) return 'no tab';
  return source === '' ? 'empty source' : 'empty target';
};

/**
 * Describes invalid lines, at most ten: `3 bad lines: 4 (no tab), 9 (empty target), 12 (no tab)`. Empty if there are
 * none.
 */
export function describeBad(bad: readonly BadLine[]): string {
  if (bad.length === 0) return '';
  const named = bad.slice(0, 10).map(({ line, reason }) => `${line} (${reason})`);
  const more = bad.length > 10 ? `, and ${bad.length - 10} more` : '';
  return `${bad.length} bad ${bad.length === 1 ? 'line' : 'lines'}: ${named.join(', ')}${more}`;
}

/** Decodes UTF-8; a HeddleError names the first invalid line. */
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
