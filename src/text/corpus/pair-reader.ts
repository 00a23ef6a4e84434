// A format of pairs whose records are not lines, such as a translation memory: how its files are read. Guests bring
// the readers (`Features.pairReaders`); formats of lines are in pair-files.ts.

import { lineFormats } from './line-formats.ts';

/** The texts of a pair as a file has them: with line breaks and any white space. */
export interface SegmentPair {
  readonly source: string;
  readonly target: string;
}

/** What happens to inline elements in pairs: they are dropped, or placeholders stand for them. */
export const tagModes = ['drop', 'placeholders'] as const;
/** Name of a mode. */
export type TagMode = (typeof tagModes)[number];

/** What the caller says of a file. */
export interface ReaderOptions {
  /** Languages of the pairs. [those of the file] */
  readonly source?: string;
  readonly target?: string;
  /** ['drop'] */
  readonly tags?: TagMode;
}

/** The pairs of a file, in lists; returns what a pair is in the format, for messages. */
export type SegmentPairs = AsyncGenerator<readonly SegmentPair[], { readonly described: string }>;

/** A format of pairs: a row of the table of readers. It loads the code of the format when it is needed. */
export interface PairReader {
  /** Name of the format. */
  readonly format: string;
  /** The same in help texts and on pages. */
  readonly label: string;
  /** Ends of the names of its files, without the dot. */
  readonly extensions: readonly string[];
  /**
   * Reads a file in chunks. Throws a HeddleError that starts with the name of the file if it is not of the format, cut
   * off, or hostile.
   */
  read(chunks: AsyncIterable<Uint8Array>, name: string, options: ReaderOptions): SegmentPairs;
}

/** The formats of lines and those of `readers` in words: `TSV, CSV, ...`. */
export const describePairFormats = (readers: readonly PairReader[]): string =>
  [...Object.values(lineFormats), ...readers].map(({ label }) => label).join(', ');
