// A trie over byte strings, as one hash table of (node, byte) -> node: what finds all pieces that a text goes on with.
import { HeddleError } from '../../core/errors.ts';

/** Most nodes, which bounds the memory to 384 MiB; a vocabulary of 256,000 pieces takes about a million. */
const maxNodes = 2 ** 24;

/** A trie of byte strings with a number each. */
export interface Trie {
  /** The node after `byte`, or -1; the root is node 0. */
  step(node: number, byte: number): number;
  /** The number of the string that ends at a node, or -1. */
  valueAt(node: number): number;
  /** The number of bytes[from, to), or -1. */
  find(bytes: Uint8Array, from: number, to: number): number;
  /** Length of the longest string that stands at `at`, 0 where none does. */
  longest(bytes: Uint8Array, at: number): number;
}

/** A trie of strings; of equal ones the last counts. Throws a HeddleError that begins with `name` where they are too many. */
export function createTrie(
  entries: readonly { readonly bytes: Uint8Array; readonly value: number }[],
  name: string,
): Trie {
  const total = 1 + entries.reduce((n, { bytes }) => n + bytes.length, 0);
  if (total > maxNodes) throw new HeddleError(`${name}: its pieces take ${total} bytes, at most ${maxNodes} are read`);
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
