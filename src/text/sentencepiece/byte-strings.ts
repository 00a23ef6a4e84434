// Byte strings: UTF-8 as SentencePiece decodes it (one U+FFFD per invalid byte, unlike TextDecoder), and a
// trie.

import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** UTF-8 bytes of a text; a lone surrogate becomes U+FFFD. */
export const encodeUtf8 = (text: string): Uint8Array => encoder.encode(text);

/** Text of valid UTF-8; a byte-order mark is kept. */
export const decodeUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes);

/** Length of a UTF-8 sequence by its first byte; 1 for an invalid first byte. */
export const sequenceLength = (first: number): number =>
  first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

/**
 * Length of the character at `at`; 0 if it is not valid UTF-8: overlong, a surrogate, above U+10FFFF, or
 * truncated.
 */
export function validSequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  const length = sequenceLength(first);
  if (length === 1 || first > 0xf4 || at + length > bytes.length) return 0;
  let code = first & (0x7f >> length);
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i] as number;
    if ((byte & 0xc0) !== 0x80) return 0;
    code = (code << 6) | (byte & 0x3f);
  }
  const min = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000;
  return code < min || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : length;
}

/** Decodes any bytes, with U+FFFD for each invalid byte. */
export function decodeLossy(bytes: Uint8Array): string {
  let out = '';
  let whole = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = validSequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    out += `${decodeUtf8(bytes.subarray(whole, at))}\ufffd`;
    whole = ++at;
  }
  return out + decodeUtf8(bytes.subarray(whole));
}

/**
 * Maximum number of nodes, which bounds memory to 320 MiB; a vocabulary of 256,000 pieces takes about a
 * million.
 */
const maxNodes = 2 ** 24;

/** A trie over byte strings with a value each, as a hash table of (node, byte) -> node. */
export interface Trie {
  /** The node after `byte`, or -1; the root is node 0. */
  step(node: number, byte: number): number;
  /** Value of the string that ends at a node, or -1. */
  valueAt(node: number): number;
  /** Value of bytes[from, to), or -1. */
  find(bytes: Uint8Array, from: number, to: number): number;
  /** Length of the longest string at `at`, 0 if there is none. */
  longest(bytes: Uint8Array, at: number): number;
}

/**
 * Creates a trie; of equal strings the last one counts. Throws a HeddleError that starts with `name` if it
 * would be too large.
 */
export function createTrie(
  entries: readonly { readonly bytes: Uint8Array; readonly value: number }[],
  name: string,
): Trie {
  const total = 1 + entries.reduce((n, { bytes }) => n + bytes.length, 0);
  if (total > maxNodes)
    throw new HeddleError(msg`its pieces have ${total} bytes, the maximum is ${maxNodes}`, { area: name });
  const capacity = 2 ** Math.ceil(Math.log2(2 * total));
  const keys = new Uint32Array(capacity); // node * 256 + byte, plus 1 so that 0 is free; below 2^32 as nodes are below 2^24
  const children = new Int32Array(capacity);
  const values = new Int32Array(total).fill(-1);
  let nodes = 1;
  const slotOf = (key: number): number => {
    let slot = (Math.imul(key, 0x9e3779b1) >>> 8) & (capacity - 1);
    while (keys[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) & (capacity - 1);
    return slot;
  };
  for (const { bytes, value } of entries) {
    let node = 0;
    for (const byte of bytes) {
      const key = node * 256 + byte + 1;
      const slot = slotOf(key);
      if (keys[slot] === 0) {
        keys[slot] = key;
        children[slot] = nodes++;
      }
      node = children[slot] as number;
    }
    values[node] = value;
  }
  const step = (node: number, byte: number): number => {
    const slot = slotOf(node * 256 + byte + 1);
    return keys[slot] === 0 ? -1 : (children[slot] as number);
  };
  return {
    step,
    valueAt: (node) => values[node] as number,
    find(bytes, from, to) {
      let node = 0;
      for (let i = from; i < to && node >= 0; i++) node = step(node, bytes[i] as number);
      return node < 0 ? -1 : (values[node] as number);
    },
    longest(bytes, at) {
      let length = 0;
      for (let i = at, node = 0; i < bytes.length; i++) {
        node = step(node, bytes[i] as number);
        if (node < 0) break;
        if (values[node] !== -1) length = i + 1 - at;
      }
      return length;
    },
  };
}
