// Reading Protocol Buffers' wire format, as much of it as SentencePiece's models need, and with distrust: every length is checked
// against the bytes that are there. https://protobuf.dev/programming-guides/encoding/
import { HeddleError } from '../../core/errors.ts';

/** One field of a message: varints as numbers, below 2^64 and so not always exact, the others as their bytes. */
export interface Field {
  readonly number: number;
  readonly wire: 0 | 1 | 2 | 5;
  /** The value of a varint (wire 0), else 0. */
  readonly value: number;
  /** The bytes of a fixed (1 and 5) or length-delimited (2) field, a view of the message; else none. */
  readonly bytes: Uint8Array;
}

const none = new Uint8Array(0);

/** The fields of a message in the order of the file. Throws a HeddleError that begins with `name` where it is broken. */
export function* readFields(message: Uint8Array, name: string): Generator<Field> {
  const fail = (at: number, why: string): never => {
    throw new HeddleError(`${name}: broken at byte ${at} of ${message.length}: ${why}; the file may be cut off`);
  };
  let at = 0;
  const varint = (): number => {
    const from = at;
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = message[at++];
      if (byte === undefined) return fail(from, 'a number ends outside it');
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    return fail(from, 'a number of more than 10 bytes');
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    const wire = tag % 8;
    const number = Math.floor(tag / 8);
    if (number < 1 || number >= 2 ** 29) fail(start, `a field numbered ${number}`);
    if (wire === 0) {
      yield { number, wire, value: varint(), bytes: none };
      continue;
    }
    if (wire !== 1 && wire !== 2 && wire !== 5) return fail(start, `field ${number} has the wire type ${wire}`);
    const length = wire === 2 ? varint() : wire === 1 ? 8 : 4;
    if (length > message.length - at)
      fail(start, `field ${number} claims ${length} bytes, ${message.length - at} are left`);
    yield { number, wire, value: 0, bytes: message.subarray(at, at + length) };
    at += length;
  }
}
