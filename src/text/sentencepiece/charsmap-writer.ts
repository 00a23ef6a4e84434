// Compiles normalization rules as SentencePiece stores them (precompiled_charsmap, read by
// sentencepiece-normalizer.ts): a double array as of Darts-clone, and the replacements. Equal parts of the trie
// are stored once (a minimal acyclic automaton), since offsets in a double array are relative.

import { encodeUtf8 } from './byte-strings.ts';

/** A node of the trie: children by byte in increasing order, and the value of the key that ends here. */
interface Node {
  readonly children: Map<number, Node>;
  value: number;
}

/** Number of units in a block. The byte of a child is combined by XOR, so blocks are complete. */
const blockUnits = 256;
/** Number of units at the end that are searched for free ones: nearly all before them are used. */
const searchedUnits = 8 * blockUnits;
/** An unused unit: its label is no byte. */
const unused = 0x80000000;
/** Maximum offset that a unit stores without its last 8 bits. */
const directOffset = 2 ** 21;

/** Compiles rules: the replacement of each text. */
export function writeCharsmap(rules: ReadonlyMap<string, string>): Uint8Array {
  const strings: number[] = [];
  const placeOf = new Map<string, number>();
  const root: Node = { children: new Map(), value: -1 };
  for (const [text, replacement] of rules) {
    let place = placeOf.get(replacement);
    if (place === undefined) {
      place = strings.length;
      placeOf.set(replacement, place);
      strings.push(...encodeUtf8(replacement), 0);
    }
    let node = root;
    for (const byte of encodeUtf8(text)) {
      let child = node.children.get(byte);
      if (!child) {
        child = { children: new Map(), value: -1 };
        node.children.set(byte, child);
      }
      node = child;
    }
    node.value = place;
  }
  const units = new DoubleArray().write(root);
  const blob = new Uint8Array(4 + 4 * units.length + strings.length);
  const view = new DataView(blob.buffer);
  view.setUint32(0, 4 * units.length, true);
  for (const [i, unit] of units.entries()) view.setUint32(4 + 4 * i, unit >>> 0, true);
  blob.set(strings, 4 + 4 * units.length);
  return blob;
}

/** A double array under construction. */
class DoubleArray {
  #units = new Uint32Array(blockUnits).fill(unused);
  #used = new Uint8Array(blockUnits);
  /** Bases of children that are taken: two nodes with one base would share children. */
  readonly #bases = new Set<number>();
  /** First unit that may be free. */
  #free = 1;
  /** Base of the children of nodes that were written, by their contents. */
  readonly #written = new Map<string, number>();

  /** Returns the units of a trie. */
  write(root: Node): Uint32Array {
    this.#used[0] = 1;
    this.#units[0] = 0;
    this.#place(root, 0);
    return this.#units;
  }

  /** Writes the children of a node whose unit is at `at`; the unit gets their offset. */
  #place(node: Node, at: number): void {
    const base = this.#baseOf(node);
    const offset = (base ^ at) >>> 0;
    this.#units[at] =
      (this.#units[at] as number) | (offset < directOffset ? offset << 10 : (offset << 2) | 0x200);
    if (node.value >= 0) this.#units[at] = (this.#units[at] as number) | 0x100;
  }

  /** Base of the children of a node, which are written unless an equal node was. */
  #baseOf(node: Node): number {
    const key = this.#keyOf(node);
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const labels = [...node.children.keys()].sort((a, b) => a - b);
    const base = this.#findBase(node.value >= 0 ? [0, ...labels] : labels);
    this.#written.set(key, base);
    this.#bases.add(base);
    if (node.value >= 0) {
      this.#used[base] = 1;
      this.#units[base] = (0x80000000 | node.value) >>> 0;
    }
    for (const label of labels) {
      this.#used[base ^ label] = 1;
      this.#units[base ^ label] = label;
    }
    for (const label of labels) this.#place(node.children.get(label) as Node, base ^ label);
    return base;
  }

  readonly #keys = new Map<Node, string>();
  readonly #ids = new Map<string, number>();

  /** The contents of a node: its value, and the number of the contents of each child. */
  #keyOf(node: Node): string {
    const known = this.#keys.get(node);
    if (known !== undefined) return known;
    let key = String(node.value);
    for (const [label, child] of [...node.children].sort(([a], [b]) => a - b))
      key += `,${label}:${this.#idOf(this.#keyOf(child))}`;
    this.#keys.set(node, key);
    return key;
  }

  #idOf(key: string): number {
    const id = this.#ids.get(key) ?? this.#ids.size;
    this.#ids.set(key, id);
    return id;
  }

  /** The first base at which all labels are free; offsets of 2^21 and more need a base with last byte 0. */
  #findBase(labels: readonly number[]): number {
    while (this.#used[this.#free]) this.#free++;
    for (let unit = Math.max(this.#free, this.#units.length - searchedUnits); ; unit++) {
      while (unit >= this.#units.length) this.#grow();
      if (this.#used[unit]) continue;
      const base = unit ^ (labels[0] as number);
      if (base > 0 && !this.#bases.has(base) && labels.every((label) => !this.#used[base ^ label]))
        return base;
    }
  }

  #grow(): void {
    const size = this.#units.length + blockUnits;
    const units = new Uint32Array(size).fill(unused);
    units.set(this.#units);
    const used = new Uint8Array(size);
    used.set(this.#used);
    [this.#units, this.#used] = [units, used];
  }
}
