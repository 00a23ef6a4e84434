// Text in UTF-8 that a person wrote: an error names its first line that is none.

import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';

/** Number of the first line of `bytes` that is not UTF-8; `first`: number of their first line. */
export function invalidLine(bytes: Uint8Array, first = 1): number {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  let line = first;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    try {
      utf8.decode(bytes.subarray(start, end));
    } catch {
      break;
    }
    start = end;
  }
  return line;
}

/** Decodes UTF-8; a HeddleError names the first invalid line. `first`: number of the first line. */
export function decodeUtf8(bytes: Uint8Array, name: string, first = 1): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const line = invalidLine(bytes, first);
    throw new HeddleError(msg`line ${line} is not UTF-8; convert the file, for example with iconv -t UTF-8`, {
      area: name,
      kind: 'input',
    });
  }
}
