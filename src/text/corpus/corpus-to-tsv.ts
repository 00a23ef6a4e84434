// Converts a corpus of any format to TSV, which pages store.

import { concatBytes } from '../../files/files.ts';
import { readerBlocks } from './pair-blocks.ts';
import { readerOf } from './pair-files.ts';
import type { PairReader } from './pair-reader.ts';
import { csvToTsv } from './tsv.ts';

/**
 * Converts a corpus that a visitor gives to TSV: a format of `readers` by the name of the file, else CSV if `isCsv`.
 * Throws a HeddleError that starts with `name` if it cannot be read.
 */
export async function corpusToTsv(
  bytes: Uint8Array,
  name: string,
  isCsv: boolean,
  readers: readonly PairReader[],
): Promise<Uint8Array> {
  const reader = readerOf(name, undefined, readers);
  if (!reader) return isCsv ? csvToTsv(bytes, name) : bytes;
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const parts: Uint8Array[] = [];
  for await (const block of readerBlocks(reader, iterate(stream), name, {}, 2 ** 20)) parts.push(block.bytes);
  return concatBytes(parts);
}

/** The chunks of a stream; Safari's streams are not iterable. */
async function* iterate(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}
