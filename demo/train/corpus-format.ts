// The format of a text that the visitor gives as a corpus: tab-separated or comma-separated values.

import { english } from '../common/english.ts';

/** Name of a corpus that was pasted. */
export const pastedName = english`pasted text`;

/** Characters of pasted text in which a tab is searched. */
const searched = 2 ** 16;

/** Whether a text is CSV: a file by its name; pasted text if its beginning has commas but no tab. */
export function isCsv(name: string, text: string): boolean {
  if (name !== pastedName) return /\.csv$/i.test(name);
  const start = text.slice(0, searched);
  return start.includes(',') && !start.includes('\t');
}
