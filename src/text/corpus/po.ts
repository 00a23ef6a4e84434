// Reads the translated messages of PO files, and of MO files, their binary form, as pairs.

import { HeddleError } from '../../core/errors.ts';
import { concatBytes } from '../../files/files.ts';
import type { PairReader, SegmentPair } from './pair-reader.ts';
import { defaultPlurals, isForOne, type PluralForms, parsePluralForms } from './plural-forms.ts';
import { decodePo, parseHeader, parsePo } from './po-file.ts';

/** Larger files are not read: gettext's catalogs are at most some MB, and a whole file is in memory. */
const maxBytes = 256 * 2 ** 20;

/** The pairs of a message: those of a plural pair its forms with singular and plural. */
function* pairsOf(
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

async function wholeFile(chunks: AsyncIterable<Uint8Array>, name: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    size += chunk.length;
    if (size > maxBytes) throw new HeddleError(`${name}: a catalog of more than ${maxBytes} bytes`);
  }
  return concatBytes(parts);
}

/** Reads a PO file; fuzzy, untranslated and obsolete messages are skipped. See `PairReader`. */
export const readPo: PairReader = async function* (chunks, name) {
  const { entries, plurals } = parsePo(decodePo(await wholeFile(chunks, name), name), name);
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

/**
 * Reads an MO file; strings that depend on the system (revision 0.1) are skipped. See `PairReader`. Format: GNU
 * gettext manual, "The Format of GNU MO Files".
 */
export const readMo: PairReader = async function* (chunks, name) {
  const bytes = await wholeFile(chunks, name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reject = (problem: string): never => {
    throw new HeddleError(`${name}: not an MO file: ${problem}`);
  };
  if (bytes.length < 28) reject('it is too short');
  const magic = view.getUint32(0, true);
  if (magic !== 0x950412de && magic !== 0xde120495) reject('it does not start with its magic number');
  const little = magic === 0x950412de;
  const uint32 = (at: number) => view.getUint32(at, little);
  if (uint32(4) >>> 16 > 1) reject(`revision ${uint32(4) >>> 16} is unknown`);
  const [count, ids, strings] = [uint32(8), uint32(12), uint32(16)];
  if (Math.max(ids, strings) + 8 * count > bytes.length) reject('its table is cut off');
  const stringAt = (table: number, i: number) => {
    const [length, at] = [uint32(table + 8 * i), uint32(table + 8 * i + 4)];
    if (at + length > bytes.length) reject(`string ${i} is cut off`);
    return bytes.subarray(at, at + length);
  };
  const first = count > 0 && stringAt(ids, 0).length === 0 ? stringAt(strings, 0) : new Uint8Array();
  const header = new TextDecoder('latin1').decode(first);
  const text = (raw: Uint8Array) => decodePo(raw, name, header);
  const plurals = parsePluralForms(parseHeader(header).get('plural-forms') ?? '') ?? defaultPlurals;
  const pairs: SegmentPair[] = [];
  for (let i = 0; i < count; i++) {
    const key = text(stringAt(ids, i));
    const [id = '', plural] = key.slice(key.indexOf('\x04') + 1).split('\0');
    if (id !== '') pairs.push(...pairsOf(id, plural, text(stringAt(strings, i)).split('\0'), plurals));
  }
  yield pairs;
  return { described: 'translated messages' };
};
