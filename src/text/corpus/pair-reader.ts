// The interface of a reader of translated segments (pair-readers.ts has their table).

/** A translated segment; inline elements are placeholders (features/documents/inline/placeholders.ts). */
export interface SegmentPair {
  readonly source: string;
  readonly target: string;
}

/**
 * Reads a file in chunks: yields the pairs of each chunk, and returns what it looked for, for messages. `given`:
 * languages of source and target, if the caller names them. Throws a HeddleError that starts with the name of the
 * file if it is not of the format, cut off, or hostile.
 */
export type PairReader = (
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  given: { readonly source?: string; readonly target?: string },
) => AsyncGenerator<readonly SegmentPair[], { readonly described: string }>;
