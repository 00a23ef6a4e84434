// Decodes the bytes of a document and encodes its translation in the same encoding. What a document does not
// change keeps its bytes; this is checked before anything is translated.

import { HeddleError } from '../../core/errors.ts';
import { msg, option } from '../../core/message.ts';
import { TextBytesDecoder } from './text-decoder.ts';

/** A text and how its bytes are made. */
export interface EncodedText {
  readonly text: string;
  /** Bytes of a part of the text. Throws a HeddleError that names a character that the encoding lacks. */
  encode(part: string): Uint8Array;
}

/**
 * Decodes bytes in an encoding. `referenceOf`: what is written for a character that the encoding lacks, in formats that
 * have references. Throws a HeddleError that starts with `name` if the bytes are not in it.
 */
export function decodeDocument(
  bytes: Uint8Array,
  encoding: string,
  name: string,
  referenceOf?: (character: string) => string,
): EncodedText {
  const decoder = new TextBytesDecoder(encoding, name, {
    keepsMark: true,
    remedy: msg`give its ${option('encoding')}, such as windows-1252, or convert the file to UTF-8`,
  });
  const text = decoder.decode(bytes);
  const encode = encoderFor(decoder.encoding, name, referenceOf);
  const again = encode(text);
  if (again.length !== bytes.length || again.some((byte, i) => byte !== bytes[i]))
    throw new HeddleError(
      msg`its ${decoder.encoding} text cannot be written back byte for byte; convert the file to UTF-8`,
      { area: name },
    );
  return { text, encode };
}

function encoderFor(
  encoding: string,
  name: string,
  referenceOf: ((character: string) => string) | undefined,
): (text: string) => Uint8Array {
  if (encoding === 'utf-8') {
    const utf8 = new TextEncoder();
    return (text) => utf8.encode(text);
  }
  if (encoding.startsWith('utf-16')) {
    const little = encoding === 'utf-16le';
    return (text) => {
      const view = new DataView(new ArrayBuffer(2 * text.length));
      for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), little);
      return new Uint8Array(view.buffer);
    };
  }
  const table = characterTable(encoding);
  return (text) =>
    Uint8Array.from(
      Array.from(text).flatMap((character) => {
        const bytes =
          table.get(character) ??
          (referenceOf && Array.from(referenceOf(character), (c) => table.get(c) ?? []).flat());
        if (!bytes)
          throw new HeddleError(
            msg`the encoding ${encoding} has no ${JSON.stringify(character)}; convert the file to UTF-8`,
            { area: name },
          );
        return bytes;
      }),
    );
}

/** Bytes of each character of an encoding with one or two bytes per character, found by decoding all. */
function characterTable(encoding: string): ReadonlyMap<string, readonly number[]> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const table = new Map<string, readonly number[]>();
  const add = (bytes: readonly number[]): void => {
    try {
      const character = decoder.decode(Uint8Array.from(bytes));
      if ([...character].length === 1 && !table.has(character)) table.set(character, bytes);
    } catch {
      // not a character of its own
    }
  };
  for (let a = 0; a < 256; a++) add([a]);
  for (let a = 128; a < 256; a++) for (let b = 64; b < 256; b++) add([a, b]);
  return table;
}
