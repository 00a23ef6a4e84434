// Reads the pairs of a translation memory from a stream: a file of any size, with a part of it in memory at a time.

import { fileChunks, type PairBlockOptions, pairBlocks } from '../../text/corpus/pair-blocks.ts';
import { readerOf } from '../../text/corpus/pair-files.ts';
import { parseBlock } from '../../text/corpus/pair-records.ts';
import type { Pair } from '../../text/corpus/pairs.ts';
import { equalPlaceholders, pairReaders } from './pairs/pair-readers.ts';

/** Languages of a call; unknown ones are those of the file. */
export interface MemoryLanguages {
  /** Language tag of the sources. [that of the file] */
  readonly source?: string;
  /** Language tag of the translations. [the other one of the file] */
  readonly target?: string;
}

/**
 * Yields the pairs of a memory, whose elements are placeholders; texts of TMX, XLIFF, PO and MO keep their white space.
 * Throws as the reader of its format.
 */
export async function* memoryPairs(
  path: string,
  options: Pick<PairBlockOptions, 'open' | 'onBytes'>,
  languages: MemoryLanguages = {},
): AsyncGenerator<readonly Pair[], void, void> {
  const reader = readerOf(path, undefined, pairReaders);
  if (!reader) {
    for await (const block of pairBlocks({ files: [path] }, options)) yield (await parseBlock(block)).pairs;
    return;
  }
  const read = await reader.load();
  for await (const pairs of read(fileChunks(path, options), path, languages))
    yield pairs.map(equalPlaceholders);
}
