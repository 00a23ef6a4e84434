// XXH64, a checksum that costs less than reading a file. It is not cryptographic.

import xxhash from 'xxhash-wasm';

/** XXH64 of the parts that were added. */
export interface Xxh64 {
  add(part: Uint8Array): void;
  /** 16 digits in hexadecimal. */
  hex(): string;
}

/** Bytes that are copied to WebAssembly at a time: they stay in the cache of the processor. */
const blockSize = 2 ** 20;

/** Starts an XXH64; undefined if the page forbids WebAssembly. */
export async function createXxh64(): Promise<Xxh64 | undefined> {
  const library = await xxhash().catch(() => undefined);
  if (!library) return undefined;
  const hash = library.create64();
  return {
    add(part) {
      for (let at = 0; at < part.length; at += blockSize) hash.update(part.subarray(at, at + blockSize));
    },
    hex: () => hash.digest().toString(16).padStart(16, '0'),
  };
}

/** XXH64 of bytes in hexadecimal; undefined if the page forbids WebAssembly. */
export async function xxh64Of(bytes: Uint8Array): Promise<string | undefined> {
  const hash = await createXxh64();
  hash?.add(bytes);
  return hash?.hex();
}
