// How the records of a block of a file of pairs become pairs: lines, rows of CSV, objects of JSON.

import papa from 'papaparse';
import { check } from '../../core/errors.ts';
import { counted, listed, type Message, msg } from '../../core/message.ts';
import { decodeUtf8 } from '../../files/utf8.ts';
import { longLine } from './line-chunks.ts';
import type { LineFormat } from './line-formats.ts';
import { normalizeText } from './normalize-text.ts';
import type { Pair } from './pairs.ts';

/**
 * An invalid line, by its number from 1 (for CSV, the number of the record after the header), and the reason.
 */
export interface BadLine {
  /** Its number, from 1. */
  readonly line: number;
  /** Why it is not a pair. */
  readonly reason:
    | 'empty line'
    | 'no tab'
    | 'no column'
    | 'not JSON'
    | 'no field'
    | 'empty source'
    | 'empty target'
    | 'both sides empty'
    | 'NUL byte'
    | 'longer than 1 MiB'
    | 'CR between pairs';
}

/** Consecutive records of a file, or of two parallel files. */
export interface PairBlock {
  /** Name of the file, and of the file with the targets, for messages. */
  readonly name: string;
  readonly targetName?: string;
  readonly format: LineFormat | 'parallel';
  /** Number of its first record, from 1. */
  readonly line: number;
  readonly bytes: Uint8Array;
  /** Target lines of parallel files. */
  readonly targets?: Uint8Array;
  /** Columns of the source and of the target: indices, or in JSON paths. */
  readonly columns: readonly [source: number | string, target: number | string];
  /** Maximum number of references: the target column and those after it, or the texts of a list in JSON. */
  readonly references: number;
}

/** Pairs of a block. */
export interface ParsedBlock {
  readonly pairs: Pair[];
  readonly bad: BadLine[];
  /** Number of records. */
  readonly lines: number;
  /** Whether a record is neither empty nor a line without a tab. */
  readonly columns: boolean;
}

/**
 * Parses the records of a block; texts are normalized (NFC, single spaces). The first reference that is not
 * empty is the target. Throws a HeddleError that starts with the file's name and names the line if it is not
 * UTF-8.
 */
export async function parseBlock(block: PairBlock): Promise<ParsedBlock> {
  const text = decodeUtf8(block.bytes, block.name, block.line);
  return parseRecords(block, block.format === 'csv' ? await parseCsv(text, block.name) : linesOf(text));
}

/**
 * The source texts of a block, normalized; a target may be missing or empty, as in a file with a text on each
 * line. Throws as `parseBlock`.
 */
export async function sourcesOf(block: PairBlock): Promise<string[]> {
  const { format, columns } = block;
  if (format === 'csv' || format === 'jsonl')
    return (await parseBlock(block)).pairs.map(({ source }) => source);
  const lines = shortLinesOf(decodeUtf8(block.bytes, block.name, block.line));
  const texts = format === 'tsv' ? lines.map((line) => line.split('\t')[Number(columns[0])] ?? '') : lines;
  return texts.map(normalizeText);
}

/** The texts of each record of a block, as they are: both sides of a pair, or a text without a tab. */
export async function textsOfBlock(block: PairBlock): Promise<string[][]> {
  const { format, columns } = block;
  if (format === 'csv' || format === 'jsonl')
    return (await parseBlock(block)).pairs.map(({ source, target }) => [source, target]);
  const lines = shortLinesOf(decodeUtf8(block.bytes, block.name, block.line));
  if (format !== 'tsv') {
    const targets = block.targets
      ? shortLinesOf(decodeUtf8(block.targets, block.targetName ?? '', block.line))
      : [];
    return lines.map((line, i) => [line, targets[i] ?? '']);
  }
  return lines.map((line) => {
    const texts = line.split('\t');
    return [texts[Number(columns[0])] ?? '', texts[Number(columns[1])] ?? ''];
  });
}

/** The pairs of a block, whose records are lines, or rows of CSV. */
export function parseRecords(
  block: PairBlock,
  records: readonly (string | readonly string[])[],
): ParsedBlock {
  const { format, line: first, references } = block;
  const targets = block.targets ? linesOf(decodeUtf8(block.targets, block.targetName ?? '', first)) : [];
  const pairs: Pair[] = [];
  const bad: BadLine[] = [];
  let columns = format === 'parallel';
  const usual = records.find((record) => typeof record === 'string' && !/\r./.test(record));
  const tabs = typeof usual === 'string' ? tabsIn(usual) : 0;
  for (const [i, record] of records.entries()) {
    const { texts, wrong } = textsOf(block, record, targets[i], tabs);
    columns ||= wrong !== 'no tab' && wrong !== 'empty line';
    const [source = '', ...all] = texts.slice(0, 1 + references).map(normalizeText);
    const [target, ...others] = all.filter((text) => text !== '');
    if (!wrong && source !== '' && target !== undefined)
      pairs.push({ source, target, others: others.length > 0 ? others : undefined });
    else bad.push({ line: first + i, reason: wrong ?? emptySide(source, target) });
  }
  return { pairs, bad, lines: records.length, columns };
}

const emptySide = (source: string, target: string | undefined): BadLine['reason'] =>
  source !== '' ? 'empty target' : target === undefined ? 'both sides empty' : 'empty source';

const tabsIn = (line: string): number => line.split('\t').length - 1;

const breaksIn = (line = ''): number => line.split(/\r+(?=.)/).length - 1;

/** Source and references of a record, or why it is invalid. */
interface RecordTexts {
  readonly texts: readonly string[];
  readonly wrong?: BadLine['reason'];
}

const invalid = (wrong: BadLine['reason']): RecordTexts => ({ texts: [], wrong });

/**
 * The texts of a record. `other`: the same line of the file of targets. `tabs`: of a usual line of TSV.
 */
function textsOf(
  { format, columns }: PairBlock,
  record: string | readonly string[],
  other: string | undefined,
  tabs: number,
): RecordTexts {
  const line = typeof record === 'string' ? record : record.join('\t');
  if (line === longLine || other === longLine) return invalid('longer than 1 MiB');
  if (line.includes('\0') || other?.includes('\0')) return invalid('NUL byte');
  // A line with a tab, or a record of CSV with a comma, has two sides, even if both are empty.
  const sides = format === 'tsv' || format === 'csv' ? tabsIn(line) : 0;
  if (sides === 0 && line.trim() === '' && !other?.trim()) return invalid('empty line');
  if (format === 'parallel') return textsOfLines(line, other);
  if (format === 'jsonl') return textsOfJson(line, columns);
  // Lines of an old file behind one with LF: read as one line, the second pair would be lost without a word. A
  // line with as many tabs as the others has the CR in a text.
  if (format === 'tsv' && sides !== tabs && /\t.*\r.*\t/s.test(line)) return invalid('CR between pairs');
  const cells = typeof record === 'string' ? record.split('\t') : record;
  return textsOfCells(cells, columns, format === 'tsv' ? 'no tab' : 'no column');
}

/** The same line of two files; if both hold as many CRs, they are as many pairs. */
const textsOfLines = (source: string, target: string | undefined): RecordTexts =>
  breaksIn(source) > 0 && breaksIn(source) === breaksIn(target)
    ? invalid('CR between pairs')
    : { texts: [source, target ?? ''] };

function textsOfJson(line: string, [source, target]: PairBlock['columns']): RecordTexts {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return invalid(/\r./.test(line) ? 'CR between pairs' : 'not JSON');
  }
  const [text] = fieldOf(json, String(source));
  const references = fieldOf(json, String(target));
  if (text === undefined || references.length === 0) return invalid('no field');
  const texts = [text, ...references];
  return texts.some((one) => one.includes('\0')) ? invalid('NUL byte') : { texts };
}

/** The cells of two columns, and all after the second as further references. */
function textsOfCells(
  cells: readonly string[],
  columns: PairBlock['columns'],
  oneCell: BadLine['reason'],
): RecordTexts {
  if (cells.length === 1) return { texts: cells, wrong: oneCell };
  const [source, target] = columns.map(Number) as [number, number];
  if (source >= cells.length || target >= cells.length) return { texts: cells, wrong: 'no column' };
  return {
    texts: [cells[source] as string, ...cells.slice(target).filter((_, i) => target + i !== source)],
  };
}

/** The rows of comma-separated values (RFC 4180). Throws a HeddleError if a quoted field does not end. */
export async function parseCsv(text: string, name: string): Promise<string[][]> {
  // Records may end in CR, LF or CRLF, even in one file. An empty line at the end is not a record. A quote opens a
  // field only at its start: in `5" nail` it is a character.
  const breaks = /(?<=^|[,\r\n])"(?:[^"]|"")*"|\r\n?/g;
  const lines = text.replace(breaks, (part) => (part.startsWith('"') ? part : '\n'));
  const { data, errors } = papa.parse<string[]>(lines.replace(/\n$/, ''), { delimiter: ',', newline: '\n' });
  const open = errors.find(({ code }) => code === 'MissingQuotes');
  check(
    !open,
    () => msg`record ${(open?.row ?? 0) + 1} has a quoted field without an end; close its quotation mark`,
    { area: name },
  );
  return data.length > 0 || text === '' ? data : [['']];
}

/** The text of a field by its path, or the texts of a list; none if there is no such field. */
function fieldOf(record: unknown, path: string): string[] {
  type Fields = Record<string, unknown> | null | undefined;
  // A field whose name has a dot is found by its full name.
  const value =
    (record as Fields)?.[path] ??
    path.split('.').reduce((inner: unknown, key) => (inner as Fields)?.[key], record);
  return [value].flat().filter((text): text is string => typeof text === 'string');
}

/**
 * Lines of a text, ending in LF, CRLF, or in CR if there is no LF, as in old exports; the last line break does
 * not start another line.
 */
export function linesOf(text: string): string[] {
  const lines = text.split(text.includes('\n') ? '\n' : '\r');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** The lines of a text, in which those that were too long to be read are empty. */
const shortLinesOf = (text: string): string[] => linesOf(text).map((line) => (line === longLine ? '' : line));

/** Number of lines of a block; the last one may lack its LF. */
export function countLines(bytes: Uint8Array): number {
  const lf = 10;
  let lines = 0;
  for (let at = bytes.indexOf(lf); at >= 0; at = bytes.indexOf(lf, at + 1)) lines++;
  return lines + (bytes.length > 0 && bytes.at(-1) !== lf ? 1 : 0);
}

/**
 * Describes invalid lines, at most ten: `3 bad lines: 4 (no tab), 9 (empty target), 12 (no tab)`, and how to mend
 * line ends. Undefined if there are none.
 */
export function describeBad(bad: readonly BadLine[]): Message | undefined {
  if (bad.length === 0) return undefined;
  const lines = counted(bad.length, '{0} bad line', '{0} bad lines');
  const named = listed(bad.slice(0, 10).map(({ line, reason }) => msg`${line} (${reason})`));
  const described =
    bad.length > 10 ? msg`${lines}: ${named}, and ${bad.length - 10} more` : msg`${lines}: ${named}`;
  if (!bad.some(({ reason }) => reason === 'CR between pairs')) return described;
  return msg`${described}; convert CR to LF, for example with ${"perl -pe 's/\\r\\n?/\\n/g'"}`;
}

/** Throws a HeddleError, which starts with `name`, if the blocks of a corpus have no pair. */
export function checkParsed(
  name: string,
  blocks: readonly { readonly columns: boolean; readonly bad: readonly BadLine[] }[],
  pairs: number,
): void {
  check(blocks.length > 0, 'there is no pair after the names of the columns', { area: name });
  check(
    blocks.some(({ columns }) => columns),
    'no line has a tab; each line of a corpus is a source, a tab and a target',
    { area: name },
  );
  check(pairs > 0, () => msg`no line is a valid pair (${describeBad(blocks.flatMap(({ bad }) => bad))})`, {
    area: name,
  });
}
