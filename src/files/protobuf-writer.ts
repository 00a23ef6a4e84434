// Writes the fields of protocol buffers, the format of ONNX models and TensorBoard events.

import { concatBytes } from './files.ts';

/** A field with a length: bytes, or a message. */
export const field = (id: number, content: Uint8Array): Uint8Array =>
  concatBytes([Uint8Array.from([...varint(id * 8 + 2), ...varint(content.length)]), content]);

/** A field with a text in UTF-8. */
export const text = (id: number, value: string): Uint8Array => field(id, new TextEncoder().encode(value));
/** A field with a whole number. */
export const integer = (id: number, value: number): Uint8Array =>
  Uint8Array.from([...varint(id * 8), ...varint(value)]);
/** A field with a number of 32 bits. */
export const float = (id: number, value: number): Uint8Array => fixed(id * 8 + 5, Float32Array.of(value));
/** A field with a number of 64 bits. */
export const double = (id: number, value: number): Uint8Array => fixed(id * 8 + 1, Float64Array.of(value));

const fixed = (key: number, { buffer }: Float32Array | Float64Array): Uint8Array =>
  Uint8Array.from([...varint(key), ...new Uint8Array(buffer)]);

/**
 * A whole number of up to 64 bits in groups of seven bits, the lowest first; negative numbers in two's
 * complement.
 */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) + 128);
  return [...bytes, Number(rest)];
}
