// Gzipped files (RFC 1952), as Firefox's models are stored.

import { HeddleError } from '../core/errors.ts';
import { type Message, msg } from '../core/message.ts';

/** Maximum size of an unpacked file. */
const maxBytes = 2 ** 30;

/** The bytes of a gzipped file. Throws a HeddleError that starts with `name` if it is damaged or too large. */
export async function gunzip(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  const fail = (reason: Message): never => {
    throw new HeddleError(reason, { area: name, kind: 'input' });
  };
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) fail(msg`it is not gzipped`);
  const stream = new Blob([bytes as BlobPart]).stream().pipeThrough(new DecompressionStream('gzip'));
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > maxBytes) break;
      chunks.push(chunk);
    }
  } catch {
    fail(msg`it is damaged or truncated`);
  }
  if (size > maxBytes) fail(msg`it has more than ${maxBytes} bytes unpacked`);
  const out = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}
