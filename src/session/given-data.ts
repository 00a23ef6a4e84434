// Training data that programs give in another form than pairs or a corpus: a seam for guests.

import type { Pair } from '../text/corpus/pairs.ts';

/** A form of training data. */
export interface GivenDataRow {
  /** Whether data have this form. */
  matches(given: unknown): boolean;
  /** Loads the reader of this form. */
  load(): Promise<GivenDataReader>;
}

/** Reads one form of training data; has one of the methods. */
export interface GivenDataReader {
  /** The corpus that the data are, as plain JSON. Throws a HeddleError that names what is wrong. */
  corpusOf?(given: unknown): object;
  /**
   * The pairs of a list, whose sources are names; `data` gets what the names stand for. Throws a HeddleError that starts
   * with `name`, the name of the list.
   */
  pairsOf?(given: unknown, name: string, data: Map<string, Float32Array>): Promise<readonly Pair[]>;
}
