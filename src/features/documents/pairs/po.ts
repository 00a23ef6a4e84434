// Reads the translated messages of PO files as pairs; mo.ts reads their binary form.

import { HeddleError } from '../../../core/errors.ts';
import { formatBytes } from '../../../core/format-numbers.ts';
import { msg } from '../../../core/message.ts';
import { concatBytes } from '../../../files/files.ts';
import { withNewlines } from '../../../text/corpus/line-chunks.ts';
import type { SegmentPair } from '../../../text/corpus/pair-reader.ts';
import { isForOne, type PluralForms } from './plural-forms.ts';
import { decodePo, parsePo } from './po-file.ts';
import type { SegmentReader } from './segment-reader.ts';

/** Larger files are not read: gettext's catalogs are at most some MB, and a whole file is in memory. */
const maxBytes = 64 * 2 ** 20;

/** The pairs of a message: those of a plural pair its forms with singular and plural. */
export function* pairsOf(
  id: string,
  plural: string | undefined,
  translations: readonly string[],
  plurals: PluralForms,
): Generator<SegmentPair> {
  const seen = new Set<string>();
  for (const [i, target] of translations.entries()) {
    const source = plural === undefined || isForOne(plurals, i).one ? id : plural;
    if (target.trim() === '' || source.trim() === '' || seen.has(`${source}\0${target}`)) continue;
    seen.add(`${source}\0${target}`);
    yield { source, target };
  }
}

/** The bytes of a file. Throws a HeddleError if it is larger than any catalog. */
export async function wholeFile(chunks: AsyncIterable<Uint8Array>, name: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    size += chunk.length;
    if (size > maxBytes)
      throw new HeddleError(msg`a catalog of more than ${formatBytes(maxBytes)}`, { area: name });
  }
  return concatBytes(parts);
}

/** Reads a PO file; fuzzy, untranslated and obsolete messages are skipped. See `PairReader.read`. */
export const readPo: SegmentReader = async function* (chunks, name) {
  const { entries, plurals } = parsePo(decodePo(await wholeFile(withNewlines(chunks), name), name), name);
  yield entries
    .filter(({ flags }) => !flags.has('fuzzy'))
    .flatMap(({ id, plural, translations }) => [
      ...pairsOf(
        id,
        plural,
        translations.map(({ text }) => text),
        plurals,
      ),
    ]);
  return { described: 'translated messages that are not fuzzy' };
};
