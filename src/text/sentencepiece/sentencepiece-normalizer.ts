// The normal form of a text in a SentencePiece model: characters replaced by its rules, spaces collapsed and marked as it says.

import { HeddleError } from '../../core/errors.ts';
import { byteBuffer, encodeUtf8, type Trie, validSequenceLength } from './byte-strings.ts';
import type { NormalizerSpec } from './sentencepiece-model.ts';

/** What the normaliser must know beside its own rules. */
export interface NormalizerOptions {
  /** User-defined symbols, which are left as they are. */
  readonly symbols?: Trie | undefined;
  readonly whitespaceAsSuffix?: boolean;
}

/** Longest normal form. */
const maxBytes = 2 ** 28;

const space = encodeUtf8(' ');
const mark = encodeUtf8('\u2581');
const replacement = encodeUtf8('\ufffd');

/** A function from UTF-8 to its normal form, in UTF-8. Throws a HeddleError that begins with `name` where the rules are broken. */
export function createNormalizer(
  spec: NormalizerSpec,
  { symbols, whitespaceAsSuffix = false }: NormalizerOptions,
  name: string,
): (input: Uint8Array) => Uint8Array {
  const charsmap: Charsmap | undefined = spec.charsmap.length > 0 ? readCharsmap(spec.charsmap, name) : undefined;
  const { removeExtraWhitespaces: collapse, escapeWhitespaces, addDummyPrefix } = spec;
  const blank = escapeWhitespaces ? mark : space;

  return (input) => {
    // What the bytes at `at` become: a part of one of four arrays, and how many of them it takes.
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
    const out = byteBuffer(2 * input.length + 8);
    if (!whitespaceAsSuffix && addDummyPrefix) out.push(blank);
    let afterSpace = collapse;
    while (at < input.length) {
      take(at);
      while (afterSpace && from < to && bytes[from] === 0x20) from++;
      for (let i = from; i < to; i++) {
        if (bytes[i] === 0x20) out.push(blank);
        else out.push(bytes, i, i + 1);
      }
      if (out.length > maxBytes)
        throw new HeddleError(`${name}: a text of ${input.length} bytes has a normal form of more than ${maxBytes}`);
      if (from < to) afterSpace = collapse && bytes[to - 1] === 0x20;
      at += taken;
    }
    if (collapse) while (out.endsWith(blank)) out.cut(out.length - blank.length);
    if (whitespaceAsSuffix && addDummyPrefix) out.push(blank);
    return out.view();
  };
}

/** Longest key that is looked for; those that SentencePiece comes with have at most 36 bytes. It bounds the work on hostile tries. */
const maxKey = 512;
/** Longest string that one key may be replaced by; the longest of NFKC has 33 bytes. */
const maxReplacement = 512;

/** The rule for what stands at a place: how many bytes it takes, and where in `strings` its replacement lies. */
export interface Rule {
  readonly length: number;
  readonly from: number;
  readonly to: number;
}

/** Rules of a model. */
export interface Charsmap {
  readonly strings: Uint8Array;
  /** The rule for the longest key at `at`; undefined where there is none. */
  longest(bytes: Uint8Array, at: number): Rule | undefined;
}

/**
 * Reads a blob: u32 length of the trie, the trie, then strings that end with 0. Throws a HeddleError that begins with `name` where
 * it is broken; a rule that points outside the strings, where it is met.
 */
export function readCharsmap(blob: Uint8Array, name: string): Charsmap {
  const fail = (why: string): never => {
    throw new HeddleError(`${name}: its normalisation rules are broken: ${why}`);
  };
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  if (blob.length <= 4) fail(`they have ${blob.length} bytes`);
  const trieBytes = view.getUint32(0, true);
  if (trieBytes > blob.length - 4) fail(`a trie of ${trieBytes} bytes is claimed, there are ${blob.length - 4}`);
  if (trieBytes % 4 !== 0 || trieBytes === 0) fail(`a trie of ${trieBytes} bytes, which is no whole number of units`);
  const units = new Uint32Array(trieBytes / 4);
  for (let i = 0; i < units.length; i++) units[i] = view.getUint32(4 + 4 * i, true);
  const strings = blob.subarray(4 + trieBytes);
  const unitAt = (place: number): number =>
    units[place] ?? fail(`a node at unit ${place} is wanted, the trie has ${units.length}`);
  const offsetOf = (unit: number): number => ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;

  return {
    strings,
    longest(bytes, at) {
      let place = offsetOf(unitAt(0));
      let length = 0;
      let value = 0;
      const end = Math.min(bytes.length, at + maxKey);
      for (let i = at; i < end; i++) {
        const byte = bytes[i] as number;
        place = (place ^ byte) >>> 0;
        // A place past the end is how a trie without the key may look at its last units.
        const unit = units[place];
        if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) break;
        place = (place ^ offsetOf(unit)) >>> 0;
        if ((unit & 0x100) === 0) continue;
        length = i + 1 - at;
        value = unitAt(place) & 0x7fffffff;
      }
      if (length === 0) return undefined;
      if (value >= strings.length) fail(`a rule points at byte ${value} of ${strings.length}`);
      const zero = strings.indexOf(0, value);
      const to = zero < 0 ? strings.length : zero;
      if (to - value > maxReplacement)
        fail(`a replacement of ${to - value} bytes, at most ${maxReplacement} are taken`);
      return { length, from: value, to };
    },
  };
}
