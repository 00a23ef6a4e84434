// The formats of files of pairs in words, for help texts and pages.

import { lineFormats } from '../../../text/corpus/line-formats.ts';
import { pairReaders } from './pair-readers.ts';

/** The formats in words: `TSV, CSV, ...`. */
export const pairFormatLabels = [...Object.values(lineFormats), ...pairReaders]
  .map(({ label }) => label)
  .join(', ');
