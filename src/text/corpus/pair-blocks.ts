// Reads files of sentence pairs in blocks of complete records, so that a file is never in memory as a whole.

import { check, HeddleError } from '../../core/errors.ts';
import { listed, msg, option } from '../../core/message.ts';
import { concatBytes } from '../../files/files.ts';
import { decodeUtf8 } from '../../files/utf8.ts';
import { wholeLines, withNewlines } from './line-chunks.ts';
import type { LineFormat } from './line-formats.ts';
import { lineFormatOf, type PairFiles, readerOf } from './pair-files.ts';
import type { PairReader, SegmentPair } from './pair-reader.ts';
import { countLines, type PairBlock, parseCsv } from './pair-records.ts';

/** A stream of bytes. */
export type ByteStream = ReadableStream<Uint8Array>;

/** Options of `pairBlocks`. */
export interface PairBlockOptions {
  /** Opens a file. */
  open(path: string): Promise<ByteStream>;
  /** Readers of formats whose records are not lines (`Features.pairReaders`). [none] */
  readonly readers?: readonly PairReader[];
  /** Receives the number of bytes that were read, before decompression. */
  onBytes?(bytes: number): void;
  /** Maximum number of references of a pair. [1] */
  readonly references?: number;
  /** Minimum size of a block in bytes, except the last one of a file. [1 MiB] */
  readonly blockBytes?: number;
}

const newline = 10;
const quote = 34;

/**
 * Yields the blocks of files of pairs, in order. Gzip files, recognized by their first bytes, are
 * decompressed. Throws a HeddleError if there are no files or files of only one side, a file is empty,
 * parallel files differ in their numbers of lines, or a header lacks a column.
 */
export async function* pairBlocks(
  given: PairFiles,
  options: PairBlockOptions,
): AsyncGenerator<PairBlock, void, void> {
  const { files = [], source = [], target = [], format } = given;
  const { references = 1, blockBytes = 2 ** 20, readers = [] } = options;
  check(files.length + source.length + target.length > 0, 'no file of pairs is named', { area: 'corpus' });
  check(
    source.length === target.length,
    msg`${source.length} source files and ${target.length} target files; each needs the other`,
    { area: 'corpus' },
  );
  for (const [i, name] of source.entries()) {
    const targetName = target[i] as string;
    const [from, to] = [new Records(name, options), new Records(targetName, options)];
    for (let line = 1; ; ) {
      const bytes = await from.block(blockBytes);
      const lines = countLines(bytes);
      const targets = await to.lines(lines);
      const targetLines = countLines(targets);
      if (targetLines < lines || (lines === 0 && (await to.lines(1)).length > 0))
        throw new HeddleError(
          targetLines < lines
            ? msg`${name} has more lines than ${targetName}, which has ${line - 1 + targetLines}; line i of both files is a pair`
            : msg`${name} has fewer lines than ${targetName}, which has more than ${line - 1}; line i of both files is a pair`,
        );
      if (lines === 0) break;
      const columns = [0, 1] as const;
      yield { name, targetName, format: 'parallel', line, bytes, targets, columns, references: 1 };
      line += lines;
    }
  }
  for (const name of files) {
    const reader = readerOf(name, format, readers);
    if (reader) {
      for await (const block of readerBlocks(reader, fileChunks(name, options), name, given, blockBytes))
        yield { name, format: 'tsv', ...block, columns: [0, 1], references: 1 };
      continue;
    }
    const kind = lineFormatOf(name, format, readers);
    const records = new Records(name, options, kind === 'csv');
    const columns = await columnsOf(given, kind, name, records);
    for (let line = 1; ; ) {
      const bytes = await records.block(blockBytes);
      if (bytes.length === 0) break;
      yield { name, format: kind, line, bytes, columns, references };
      line += kind === 'csv' ? (await parseCsv(decodeUtf8(bytes, name), name)).length : countLines(bytes);
    }
  }
}

/**
 * Yields blocks of TSV with the pairs of a file, and the number of the first pair of each. Throws as the reader,
 * and if the file has no pairs.
 */
export async function* readerBlocks(
  reader: PairReader,
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  { sourceColumn, targetColumn, tags }: PairFiles,
  blockBytes: number,
): AsyncGenerator<{ readonly line: number; readonly bytes: Uint8Array }> {
  const pairs = reader.read(chunks, name, { source: sourceColumn, target: targetColumn, tags });
  let [line, lines, size, total] = [1, [] as string[], 0, 0];
  for (let next = await pairs.next(); ; next = await pairs.next()) {
    for (const pair of next.done ? [] : next.value) {
      const text = lineOf(pair);
      lines.push(text);
      size += text.length;
    }
    if (lines.length > 0 && (next.done || size >= blockBytes)) {
      yield { line, bytes: new TextEncoder().encode(lines.join('')) };
      line += lines.length;
      total += lines.length;
      [lines, size] = [[], 0];
    }
    if (!next.done) continue;
    const { described } = next.value;
    check(total > 0, msg`there is no pair: the file has no ${described}`, { area: name });
    return;
  }
}

/** A pair as a line of TSV, whose texts have no line breaks and tabs. */
const lineOf = ({ source, target }: SegmentPair): string =>
  `${source.replace(/\s+/g, ' ')}\t${target.replace(/\s+/g, ' ')}\n`;

/** Columns of source and target; reads the header of a file that has one. */
async function columnsOf(
  { sourceColumn, targetColumn }: PairFiles,
  format: LineFormat,
  name: string,
  records: Records,
): Promise<readonly [number | string, number | string]> {
  const names = [sourceColumn ?? 'source', targetColumn ?? 'target'] as const;
  if (format === 'jsonl') return names;
  if (format === 'tsv' && sourceColumn === undefined && targetColumn === undefined) return [0, 1];
  const line = decodeUtf8(await records.block(1), name).replace(/\r?\n$/, '');
  const header = format === 'csv' ? ((await parseCsv(line, name))[0] ?? []) : line.split('\t');
  return names.map((column) => {
    const at = header.map((cell) => cell.trim()).indexOf(column);
    check(
      at >= 0,
      msg`there is no column ${column}, only ${listed(header)}; name the columns (${option('sourceColumn')}, ${option('targetColumn')})`,
      { area: name },
    );
    return at;
  }) as [number, number];
}

/** The bytes of a file that is read as a whole stream, decompressed. Throws a HeddleError if it is empty. */
export async function* fileChunks(
  name: string,
  { open, onBytes }: Pick<PairBlockOptions, 'open' | 'onBytes'>,
): AsyncGenerator<Uint8Array> {
  const { stream, isGzip } = await unzipped(await open(name), onBytes);
  const reader = stream.getReader();
  let isEmpty = true;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: Error) => {
        throw readError(error, name, isGzip);
      });
      if (done) break;
      isEmpty &&= value.length === 0;
      if (value.length > 0) yield value;
    }
    check(!isEmpty, 'the file is empty', { area: name });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The error of a file that cannot be read. */
function readError(error: Error, name: string, isGzip: boolean): HeddleError {
  if (error instanceof HeddleError) return error;
  const { message } = error;
  const problem = isGzip ? msg`not a complete gzip file (${message})` : msg`cannot read: ${message}`;
  return new HeddleError(problem, { area: name, cause: error });
}

/** The records of a file: lines, or if `isQuoted` records of CSV, whose quoted fields may contain line breaks. */
class Records {
  readonly #chunks: AsyncGenerator<Uint8Array>;
  readonly #isQuoted: boolean;
  /** Bytes that were read and not yet returned. */
  #rest: Uint8Array = new Uint8Array();

  constructor(name: string, options: PairBlockOptions, isQuoted = false) {
    this.#chunks = wholeLines(withNewlines(fileChunks(name, options)), isQuoted);
    this.#isQuoted = isQuoted;
  }

  /** At least `size` bytes that end with a record; fewer at the end of the file, then none. */
  block(size: number): Promise<Uint8Array> {
    let quotes = 0;
    return this.#upTo((chunk, before) => {
      const from = Math.max(0, size - before - 1);
      if (!this.#isQuoted) return from < chunk.length ? chunk.indexOf(newline, from) + 1 : 0;
      for (let i = 0; i < chunk.length; i++) {
        if (chunk[i] === quote) quotes++;
        else if (chunk[i] === newline && i >= from && quotes % 2 === 0) return i + 1;
      }
      return 0;
    });
  }

  /** The next `count` lines; fewer at the end of the file. */
  async lines(count: number): Promise<Uint8Array> {
    if (count === 0) return new Uint8Array();
    let left = count;
    return this.#upTo((chunk) => {
      let at = 0;
      for (; left > 0; left--) {
        const next = chunk.indexOf(newline, at);
        if (next < 0) return 0;
        at = next + 1;
      }
      return at;
    });
  }

  /** The bytes up to the end that `end` finds: its offset in a chunk, or 0 to read on. */
  async #upTo(end: (chunk: Uint8Array, before: number) => number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let before = 0;
    for (let chunk: Uint8Array | undefined = this.#rest; chunk; chunk = (await this.#chunks.next()).value) {
      const at = end(chunk, before);
      if (at > 0) {
        parts.push(chunk.subarray(0, at));
        this.#rest = chunk.subarray(at);
        return concatBytes(parts);
      }
      parts.push(chunk);
      before += chunk.length;
    }
    this.#rest = new Uint8Array();
    return concatBytes(parts);
  }
}

/** The stream, decompressed if it starts with the bytes of gzip. */
async function unzipped(
  stream: ByteStream,
  onBytes?: (bytes: number) => void,
): Promise<{ readonly stream: ByteStream; readonly isGzip: boolean }> {
  const reader = stream.getReader();
  const seen = [await reader.read()];
  const first = seen[0]?.value;
  const isGzip = first?.[0] === 0x1f && first[1] === 0x8b;
  const whole = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = seen.shift() ?? (await reader.read());
      if (done) return controller.close();
      onBytes?.(value.length);
      controller.enqueue(value as Uint8Array<ArrayBuffer>);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { stream: isGzip ? whole.pipeThrough(new DecompressionStream('gzip')) : whole, isGzip };
}
