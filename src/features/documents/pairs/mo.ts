// Reads the messages of MO files, the binary form of PO files, as pairs. Format: GNU gettext manual, "The
// Format of GNU MO Files".

import { HeddleError } from '../../../core/errors.ts';
import { type Message, msg } from '../../../core/message.ts';
import { concatBytes } from '../../../files/files.ts';
import type { SegmentPair } from '../../../text/corpus/pair-reader.ts';
import { defaultPlurals, parsePluralForms } from './plural-forms.ts';
import { pairsOf, wholeFile } from './po.ts';
import { decodePo, parseHeader } from './po-file.ts';
import type { SegmentReader } from './segment-reader.ts';

/** The number that ends the segments of a string that depends on the system. */
const lastSegment = 0xffffffff;

/**
 * Longest string that depends on the system: its segments may overlap, so that a small file could have huge
 * ones.
 */
const maxString = 2 ** 22;

/** A table of strings: their number, and the places of the tables of ids and translations. */
interface StringTable {
  readonly count: number;
  readonly ids: number;
  readonly translations: number;
}

const noStrings: StringTable = { count: 0, ids: 0, translations: 0 };

/** An MO file. Its methods throw a HeddleError if the file is damaged. */
class MoFile {
  /** The strings that are in the file as they are. */
  readonly strings: StringTable;
  /** The strings that depend on the system (minor revision 1): they have segments such as `<PRIu64>`. */
  readonly systemStrings: StringTable;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #name: string;
  readonly #isLittle: boolean;
  /** Place of the table with the names of segments, and their number. */
  readonly #segments: { readonly at: number; readonly count: number };

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#name = name;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 28) this.#reject(msg`it is too short`);
    const magic = this.#view.getUint32(0, true);
    if (magic !== 0x950412de && magic !== 0xde120495)
      this.#reject(msg`it does not start with its magic number`);
    this.#isLittle = magic === 0x950412de;
    const [major, minor] = [this.#uint32(4) >>> 16, this.#uint32(4) & 0xffff];
    if (major > 1) this.#reject(msg`revision ${major} is unknown`);
    this.strings = this.#table(
      { count: this.#uint32(8), ids: this.#uint32(12), translations: this.#uint32(16) },
      8,
    );
    this.#segments = minor === 0 ? { at: 0, count: 0 } : { at: this.#uint32(32), count: this.#uint32(28) };
    this.systemStrings =
      minor === 0
        ? noStrings
        : this.#table({ count: this.#uint32(36), ids: this.#uint32(40), translations: this.#uint32(44) }, 4);
  }

  /** The bytes of string `i` of a table. */
  string(table: number, i: number): Uint8Array {
    return this.#slice(this.#uint32(table + 8 * i + 4), this.#uint32(table + 8 * i), `string ${i}`);
  }

  /** String `i` of a table of strings that depend on the system, with its segments as PO files write them. */
  systemString(table: number, i: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let at = this.#uint32(table + 4 * i);
    let text = this.#uint32(at);
    for (let length = 0; length <= maxString; ) {
      const [size, segment] = [this.#uint32(at + 4), this.#uint32(at + 8)];
      const isLast = segment === lastSegment;
      // The last part ends with NUL.
      const part = this.#slice(text, isLast ? Math.max(0, size - 1) : size, `string ${i}`);
      const name = isLast ? new Uint8Array() : this.#segmentName(segment);
      parts.push(part, name);
      if (isLast) return concatBytes(parts);
      text += size;
      at += 8;
      length += part.length + name.length;
    }
    return this.#reject(msg`string ${i} is longer than ${maxString} bytes`);
  }

  #segmentName(segment: number): Uint8Array {
    if (segment >= this.#segments.count) this.#reject(msg`segment ${segment} is unknown`);
    const [length, place] = [this.#segments.at + 8 * segment, this.#segments.at + 8 * segment + 4];
    const name = this.#slice(
      this.#uint32(place),
      Math.max(0, this.#uint32(length) - 1),
      `segment ${segment}`,
    );
    const text = new TextDecoder('latin1').decode(name);
    // `I`, a flag of directives of glibc, is written as it is.
    return new TextEncoder().encode(text === 'I' ? text : `<${text}>`);
  }

  #table(table: StringTable, width: number): StringTable {
    const end = Math.max(table.ids, table.translations) + width * table.count;
    if (end > this.#bytes.length) this.#reject(msg`its table is cut off`);
    return table;
  }

  #slice(at: number, length: number, what: string): Uint8Array {
    if (at + length > this.#bytes.length) this.#reject(msg`${what} is cut off`);
    return this.#bytes.subarray(at, at + length);
  }

  #uint32(at: number): number {
    if (at + 4 > this.#bytes.length) this.#reject(msg`it is cut off`);
    return this.#view.getUint32(at, this.#isLittle);
  }

  #reject(problem: Message): never {
    throw new HeddleError(msg`not an MO file: ${problem}`, { area: this.#name });
  }
}

/** Reads an MO file, in any order of bytes and with strings that depend on the system. See `PairReader.read`. */
export const readMo: SegmentReader = async function* (chunks, name) {
  const file = new MoFile(await wholeFile(chunks, name), name);
  const { strings, systemStrings } = file;
  const hasHeader = strings.count > 0 && file.string(strings.ids, 0).length === 0;
  const first = hasHeader ? file.string(strings.translations, 0) : new Uint8Array();
  const header = new TextDecoder('latin1').decode(first);
  const text = (raw: Uint8Array) => decodePo(raw, name, header);
  const plurals = parsePluralForms(parseHeader(header).get('plural-forms') ?? '') ?? defaultPlurals;
  const pairs: SegmentPair[] = [];
  const add = (key: string, translations: string) => {
    const [id = '', plural] = key.slice(key.indexOf('\x04') + 1).split('\0');
    if (id !== '') pairs.push(...pairsOf(id, plural, translations.split('\0'), plurals));
  };
  for (let i = 0; i < strings.count; i++)
    add(text(file.string(strings.ids, i)), text(file.string(strings.translations, i)));
  for (let i = 0; i < systemStrings.count; i++)
    add(
      text(file.systemString(systemStrings.ids, i)),
      text(file.systemString(systemStrings.translations, i)),
    );
  yield pairs;
  return { described: 'translated messages' };
};
