// The interface of a reader of translated segments (pair-readers.ts has their table).

import type { ReaderOptions, SegmentPairs } from '../../../text/corpus/pair-reader.ts';

/** Reads a file as `PairReader.read`; inline elements are placeholders. */
export type SegmentReader = (
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  given: Omit<ReaderOptions, 'tags'>,
) => SegmentPairs;
