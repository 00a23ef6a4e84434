// Normalization of SentencePiece models: character replacement by compiled rules, whitespace collapsing and
// space marks.

import { HeddleError } from '../../core/errors.ts';
import { type Message, msg } from '../../core/message.ts';
import { SPACE_MARK } from '../tokenizers/normalization.ts';
import { decodeLossy, encodeUtf8, sequenceLength, type Trie, validSequenceLength } from './byte-strings.ts';
import type { NormalizerSpec } from './sentencepiece-model.ts';

/** Maximum length of normalized text in bytes. */
const maxBytes = 2 ** 28;

const replacement = encodeUtf8('\ufffd');

/**
 * Returns a function that normalizes UTF-8, except user-defined `symbols`; `dummyPrefix`: whether to add the
 * space mark, if the model does so (default true). Throws a HeddleError that starts with `name` if the rules
 * are invalid.
 */
export function createNormalizer(
  spec: NormalizerSpec,
  name: string,
  symbols?: Trie,
  whitespaceAsSuffix = false,
): (input: Uint8Array, dummyPrefix?: boolean) => Uint8Array {
  const charsmap: Charsmap | undefined =
    spec.charsmap.length > 0 ? readCharsmap(spec.charsmap, name) : undefined;
  const { removeExtraWhitespaces: collapse, escapeWhitespaces, addDummyPrefix } = spec;
  const blank = encodeUtf8(escapeWhitespaces ? SPACE_MARK : ' ');

  return (input, dummyPrefix = true) => {
    // Replacement of the input at `at`: bytes[from, to) for `taken` input bytes.
    let [from, to, taken] = [0, 0, 0];
    let bytes = input;
    const take = (at: number): void => {
      const symbol = symbols?.longest(input, at) ?? 0;
      const rule = symbol > 0 ? undefined : charsmap?.longest(input, at);
      if (rule && charsmap) {
        bytes = charsmap.strings;
        ({ from, to, length: taken } = rule);
        return;
      }
      const length = symbol || validSequenceLength(input, at);
      bytes = length > 0 ? input : replacement;
      taken = length || 1;
      from = length > 0 ? at : 0;
      to = from + (length || replacement.length);
    };

    let at = 0;
    if (collapse)
      while (at < input.length) {
        take(at);
        if (to - from !== 1 || bytes[from] !== 0x20) break;
        at += taken;
      }
    if (at === input.length) return new Uint8Array(0);
    let out = new Uint8Array(2 * input.length + 8);
    let length = 0;
    const push = (part: Uint8Array, first = 0, end = part.length): void => {
      if (length + end - first > out.length) {
        const larger = new Uint8Array(2 * (length + end - first));
        larger.set(out);
        out = larger;
      }
      for (let i = first; i < end; i++) out[length++] = part[i] as number;
    };
    if (!whitespaceAsSuffix && addDummyPrefix && dummyPrefix) push(blank);
    let afterSpace = collapse;
    while (at < input.length) {
      take(at);
      while (afterSpace && from < to && bytes[from] === 0x20) from++;
      for (let i = from; i < to; i++) {
        if (bytes[i] === 0x20) push(blank);
        else push(bytes, i, i + 1);
      }
      if (length > maxBytes)
        throw new HeddleError(msg`the normalized form of ${input.length} bytes is longer than ${maxBytes}`, {
          area: name,
        });
      if (from < to) afterSpace = collapse && bytes[to - 1] === 0x20;
      at += taken;
    }
    const endsInBlank = () => blank.every((byte, i) => out[length - blank.length + i] === byte);
    if (collapse) while (endsInBlank()) length -= blank.length;
    if (whitespaceAsSuffix && addDummyPrefix && dummyPrefix) push(blank);
    return out.subarray(0, length);
  };
}

/**
 * Maximum key length, which bounds the work on malicious tries; SentencePiece's own keys have at most 36
 * bytes.
 */
const maxKey = 512;
/** Maximum length of a replacement; the longest of NFKC has 33 bytes. */
const maxReplacement = 512;
/**
 * Maximum number of beginnings of keys. Keys share units, so a malicious trie may have many more keys than
 * units.
 */
const maxVisits = 2 ** 22;

/** A rule: the number of bytes it replaces, and its replacement `strings[from, to)`. */
export interface Rule {
  readonly length: number;
  readonly from: number;
  readonly to: number;
}

/** Compiled normalization rules (precompiled_charsmap). */
export interface Charsmap {
  readonly strings: Uint8Array;
  /** The rule with the longest key at `at`; undefined if there is none. */
  longest(bytes: Uint8Array, at: number): Rule | undefined;
  /** The replacement of each key that is valid UTF-8. */
  entries(): Map<string, string>;
}

/**
 * Reads compiled rules: u32 size of the trie, the trie, then zero-terminated strings. The trie is a double
 * array of Darts-clone (https://github.com/s-yata/darts-clone). A 32-bit unit has a label, a flag whether a
 * key ends there, and the offset of its children; the unit at the end of a key has the value of the key.
 * Throws a HeddleError that starts with `name` if it is invalid; invalid rules throw when they are used.
 */
export function readCharsmap(blob: Uint8Array, name: string): Charsmap {
  const fail = (reason: Message): never => {
    throw new HeddleError(msg`its normalization rules are invalid: ${reason}`, { area: name });
  };
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  if (blob.length <= 4) fail(msg`they have ${blob.length} bytes`);
  const trieBytes = view.getUint32(0, true);
  if (trieBytes > blob.length - 4) fail(msg`the trie has ${trieBytes} bytes, the rules ${blob.length - 4}`);
  if (trieBytes % 4 !== 0 || trieBytes === 0)
    fail(msg`the trie has ${trieBytes} bytes, which is not a positive multiple of 4`);
  const units = new Uint32Array(trieBytes / 4);
  for (let i = 0; i < units.length; i++) units[i] = view.getUint32(4 + 4 * i, true);
  const strings = blob.subarray(4 + trieBytes);
  const unitAt = (place: number): number =>
    units[place] ?? fail(msg`a link to unit ${place}, the trie has ${units.length}`);
  const offsetOf = (unit: number): number => ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;
  const endOf = (value: number): number => {
    if (value >= strings.length) fail(msg`a rule points at byte ${value} of ${strings.length}`);
    const zero = strings.indexOf(0, value);
    const to = zero < 0 ? strings.length : zero;
    if (to - value > maxReplacement)
      fail(msg`a replacement has ${to - value} bytes, the maximum is ${maxReplacement}`);
    return to;
  };

  return {
    strings,
    entries() {
      const out = new Map<string, string>();
      const values = new Map<number, string>();
      let visits = 0;
      // `code`: code point so far; `left`: number of its UTF-8 bytes that are missing.
      const visit = (parent: number, key: string, code: number, left: number): void => {
        for (let byte = left > 0 ? 0x80 : 1; byte < (left > 0 ? 0xc0 : 0xf5); byte++) {
          const place = (parent ^ byte) >>> 0;
          const unit = units[place];
          if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) continue;
          if (++visits > maxVisits || key.length === maxKey) fail(msg`the trie has too many keys`);
          const more = left > 0 ? left - 1 : sequenceLength(byte) - 1;
          const bits = left > 0 ? code * 64 + (byte & 0x3f) : more > 0 ? byte & (0x3f >> more) : byte;
          const child = (place ^ offsetOf(unit)) >>> 0;
          const text = more > 0 ? key : key + String.fromCodePoint(Math.min(bits, 0x10ffff));
          if (more === 0 && unit & 0x100) {
            const at = unitAt(child) & 0x7fffffff;
            const value = values.get(at) ?? decodeLossy(strings.subarray(at, endOf(at)));
            values.set(at, value);
            out.set(text, value);
          }
          visit(child, text, bits, more);
        }
      };
      visit(offsetOf(unitAt(0)), '', 0, 0);
      return out;
    },
    longest(bytes, at) {
      let place = offsetOf(unitAt(0));
      let length = 0;
      let value = 0;
      const end = Math.min(bytes.length, at + maxKey);
      for (let i = at; i < end; i++) {
        const byte = bytes[i] as number;
        place = (place ^ byte) >>> 0;
        // An index past the end means that the trie does not have the key.
        const unit = units[place];
        if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) break;
        place = (place ^ offsetOf(unit)) >>> 0;
        if ((unit & 0x100) === 0) continue;
        length = i + 1 - at;
        value = unitAt(place) & 0x7fffffff;
      }
      if (length === 0) return undefined;
      return { length, from: value, to: endOf(value) };
    },
  };
}
