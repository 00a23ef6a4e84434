// Entries of a translation memory as UTF-8 in blocks, found by a hash table: millions of them without strings and
// objects.

const blockBytes = 2 ** 20;
/** Most bytes of UTF-8 for a UTF-16 code unit. */
const maxBytesPerUnit = 3;

/** A hash of a text of 31 bits (FNV-1a). */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 1;
}

const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');

/** What is known of an entry: block, start in it, bytes of the key and of the value, hash of the key. */
const fields = 5;

/** Texts by index: a key and a value each. Half surrogates, which UTF-8 does not have, become U+FFFD. */
export class PackedTexts {
  readonly #blocks: Uint8Array[] = [];
  /** Bytes of the last block that are in use. */
  #used = 0;
  #entries = new Uint32Array(fields * 1024);
  /** Open addressing: indices plus one; 0: free. */
  #table = new Uint32Array(4096);
  #length = 0;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  get length(): number {
    return this.#length;
  }

  /** Index of the entry with a key; -1 if there is none. */
  indexOf(key: string): number {
    return (this.#table[this.#slot(wellFormed(key))] as number) - 1;
  }

  /** Stores a value, in place of an earlier one of the same key. Returns its index, and whether the key is new. */
  set(text: string, value: string): { readonly index: number; readonly isNew: boolean } {
    const key = wellFormed(text);
    const slot = this.#slot(key);
    const known = (this.#table[slot] as number) - 1;
    const index = known < 0 ? this.#length : known;
    this.#write(index, key, value);
    if (known >= 0) return { index, isNew: false };
    this.#table[slot] = ++this.#length;
    if (2 * this.#length > this.#table.length) this.#grow();
    return { index, isNew: true };
  }

  key(index: number): string {
    const { block, start, keyBytes } = this.#entry(index);
    return this.#decoder.decode(block?.subarray(start, start + keyBytes));
  }

  value(index: number): string {
    const { block, start, keyBytes, valueBytes } = this.#entry(index);
    return this.#decoder.decode(block?.subarray(start + keyBytes, start + keyBytes + valueBytes));
  }

  #entry(index: number) {
    const [block = 0, start = 0, keyBytes = 0, valueBytes = 0] = this.#entries.subarray(
      fields * index,
      fields * index + 4,
    );
    return { block: this.#blocks[block], start, keyBytes, valueBytes };
  }

  #write(index: number, key: string, value: string): void {
    const most = maxBytesPerUnit * (key.length + value.length);
    if (this.#used + most > (this.#blocks.at(-1)?.length ?? 0)) {
      this.#blocks.push(new Uint8Array(Math.max(blockBytes, most)));
      this.#used = 0;
    }
    const block = this.#blocks.at(-1) as Uint8Array;
    const start = this.#used;
    const { written: keyBytes } = this.#encoder.encodeInto(key, block.subarray(start));
    const { written: valueBytes } = this.#encoder.encodeInto(value, block.subarray(start + keyBytes));
    this.#used = start + keyBytes + valueBytes;
    if (fields * (index + 1) > this.#entries.length) {
      const larger = new Uint32Array(fields * Math.ceil(1.5 * index));
      larger.set(this.#entries);
      this.#entries = larger;
    }
    this.#entries.set([this.#blocks.length - 1, start, keyBytes, valueBytes, hashOf(key)], fields * index);
  }

  /** The slot of a key in the table: that of its entry, or the free slot for a new entry. */
  #slot(key: string): number {
    const mask = this.#table.length - 1;
    const hash = hashOf(key);
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const index = (this.#table[slot] as number) - 1;
      const isSame = index >= 0 && this.#entries[fields * index + 4] === hash && this.key(index) === key;
      if (index < 0 || isSame) return slot;
    }
  }

  #grow(): void {
    const mask = 2 * this.#table.length - 1;
    const table = new Uint32Array(mask + 1);
    for (let i = 0; i < this.#length; i++) {
      let slot = (this.#entries[fields * i + 4] as number) & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = i + 1;
    }
    this.#table = table;
  }
}
