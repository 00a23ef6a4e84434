// Fingerprints of bytes show whether a file or weights have changed. They are not cryptographic.

/**
 * Starts a fingerprint of a sequence of parts; `text` returns that of the parts so far, see `fingerprintOf`.
 */
export function createFingerprint() {
  let [a, b] = [0x811c9dc5, 0x1b873593];
  return {
    add(part: Uint8Array | Float32Array): void {
      // Words start at multiples of 4: a file in an archive may not.
      const { buffer, byteOffset, byteLength } = part.byteOffset % 4 === 0 ? part : part.slice();
      const whole = byteLength >> 2;
      for (const word of new Uint32Array(buffer, byteOffset, whole)) {
        a = Math.imul(a ^ word, 0x01000193);
        b = Math.imul(b ^ (word >>> 15) ^ (word << 17), 0x85ebca6b);
      }
      for (const byte of new Uint8Array(buffer, byteOffset + 4 * whole, byteLength - 4 * whole)) {
        a = Math.imul(a ^ byte, 0x01000193);
        b = Math.imul(b ^ byte, 0x85ebca6b);
      }
    },
    text: (): string => [a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join(''),
  };
}

/**
 * 64 bits in hexadecimal of all bytes in order (FNV-1a over 32-bit words, and a variant that also rotates).
 */
export function fingerprintOf(parts: readonly (Uint8Array | Float32Array)[]): string {
  const sum = createFingerprint();
  for (const part of parts) sum.add(part);
  return sum.text();
}
