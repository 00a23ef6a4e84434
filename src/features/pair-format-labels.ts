// The formats of files of pairs in words, those of guests included, for help texts and pages.

import { describePairFormats } from '../text/corpus/pair-reader.ts';
import { features } from './features.ts';

/** The formats in words: `TSV, CSV, ...`. */
export const pairFormatLabels = describePairFormats(features.pairReaders);
