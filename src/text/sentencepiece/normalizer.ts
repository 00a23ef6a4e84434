// The normal form of a text in a SentencePiece model: characters replaced by its rules, spaces collapsed and marked as it says.
import { HeddleError } from '../../core/errors.ts';
import { type Charsmap, readCharsmap } from './charsmap.ts';
import type { NormalizerSpec } from './sentencepiece-model.ts';
import type { Trie } from './trie.ts';
import { byteBuffer, toBytes, validLength } from './utf8.ts';

/** What the normaliser must know beside its own rules. */
export interface NormalizerOptions {
  /** User-defined symbols, which are left as they are. */
  readonly symbols?: Trie | undefined;
  readonly whitespaceAsSuffix?: boolean;
}

/** Longest normal form. */
const maxBytes = 2 ** 28;

const space = toBytes(' ');
const mark = toBytes('\u2581');
const replacement = toBytes('\ufffd');

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
      const length = symbol || validLength(input, at);
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
