// The options of this guest as programs give them.

import type { FileSource } from '../../files/given-files.ts';
import type { CorporaOptions } from './corpora-options.ts';

/** The options, with files that may be File and Blob objects. */
export interface GivenCorporaOptions extends Omit<CorporaOptions, 'guidedAlignment'> {
  /**
   * Guided alignment: train one head of the last cross-attention on the word alignments in this file, a line 0-0 1-2
   * for each line of the files of pairs; as a path, File or Blob. [none]
   */
  readonly guidedAlignment?: FileSource;
}
