// XXH32, a checksum that costs less than reading a file; it is not cryptographic. Every change within 4 bytes changes
// it, other changes with a probability of 1 - 2^-32. Libraries need WebAssembly, which the policies of many pages
// forbid, or take 20 times as long. Source: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md

const prime1 = 0x9e3779b1 | 0;
const prime2 = 0x85ebca77 | 0;
const prime3 = 0xc2b2ae3d | 0;
const prime4 = 0x27d4eb2f;
const prime5 = 0x165667b1;

/** Bytes that are added to the four sums together. */
const stripe = 16;

/** Words that one call adds: a short function is compiled at its first calls. */
const blockWords = 2 ** 14;

const rotated = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits));

const round = (sum: number, word: number): number =>
  Math.imul(rotated((sum + Math.imul(word, prime2)) | 0, 13), prime1);

/** Adds words to four sums, a word to each in turn. */
function addWords(sums: Int32Array, words: Int32Array): void {
  // Not by destructuring, which makes the sums float64 in V8.
  let a = sums[0] as number;
  let b = sums[1] as number;
  let c = sums[2] as number;
  let d = sums[3] as number;
  for (let i = 0; i < words.length; i += 4) {
    a = round(a, words[i] as number);
    b = round(b, words[i + 1] as number);
    c = round(c, words[i + 2] as number);
    d = round(d, words[i + 3] as number);
  }
  sums.set([a, b, c, d]);
}

/**
 * Starts an XXH32 with seed 0. `add`: the bytes in order; all parts except the last one have a multiple of 16 bytes.
 * `hex`: 8 digits of all parts.
 */
export function createXxh32() {
  const sums = new Int32Array([prime1 + prime2, prime2, 0, -prime1]);
  let length = 0;
  let rest = new Uint8Array();
  return {
    add(part: Uint8Array): void {
      // Words start at multiples of 4: a file in an archive may not.
      const aligned = part.byteOffset % 4 === 0 ? part : new Uint8Array(part); // slice() of a Buffer copies nothing
      const whole = part.length - (part.length % stripe);
      const words = new Int32Array(aligned.buffer, aligned.byteOffset, whole / 4);
      for (let at = 0; at < words.length; at += blockWords)
        addWords(sums, words.subarray(at, at + blockWords));
      rest = aligned.slice(whole);
      length += part.length;
    },
    hex(): string {
      const [a = 0, b = 0, c = 0, d = 0] = sums;
      let hash = length < stripe ? prime5 : rotated(a, 1) + rotated(b, 7) + rotated(c, 12) + rotated(d, 18);
      hash = (hash + length) | 0;
      const whole = rest.length - (rest.length % 4);
      for (const word of new Int32Array(rest.buffer, 0, whole / 4))
        hash = Math.imul(rotated((hash + Math.imul(word, prime3)) | 0, 17), prime4);
      for (const byte of rest.subarray(whole))
        hash = Math.imul(rotated((hash + Math.imul(byte, prime5)) | 0, 11), prime1);
      hash = Math.imul(hash ^ (hash >>> 15), prime2);
      hash = Math.imul(hash ^ (hash >>> 13), prime3);
      return ((hash ^ (hash >>> 16)) >>> 0).toString(16).padStart(8, '0');
    },
  };
}

/** XXH32 of bytes in hexadecimal. */
export function xxh32Of(bytes: Uint8Array): string {
  const hash = createXxh32();
  hash.add(bytes);
  return hash.hex();
}
