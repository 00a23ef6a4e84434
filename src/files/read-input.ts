// Files that a person names and that a program holds in memory whole: their size is judged before they are read.

import { check } from '../core/errors.ts';
import { formatBytes } from '../core/format-numbers.ts';
import { msg } from '../core/message.ts';
import type { Files } from './files.ts';
import { decodeUtf8 } from './utf8.ts';

/** Maximum bytes of a document, a glossary or a configuration. */
const maxText = 64 * 2 ** 20;

/** Maximum bytes of a file with a line for each pair, such as translations or alignments. */
export const maxLines = 256 * 2 ** 20;

/** Throws a HeddleError that names a file if it has more than `maximum` bytes [64 MiB]. */
export const checkInputSize = (bytes: number, path: string, maximum = maxText): void =>
  check(
    bytes <= maximum,
    () => msg`it has ${formatBytes(bytes)}; such a file has at most ${formatBytes(maximum)}`,
    { area: path, kind: 'input' },
  );

/**
 * Reads a file that a person named. Throws a HeddleError that names it if it has more than `maximum` bytes [64 MiB]; it
 * is not read then.
 */
export async function readInput(files: Files, path: string, maximum = maxText): Promise<Uint8Array> {
  checkInputSize((await files.size?.(path)) ?? 0, path, maximum);
  const bytes = await files.read(path);
  checkInputSize(bytes.length, path, maximum); // a pipe has no size before it is read
  return bytes;
}

/** Reads a file of UTF-8 text as `readInput` does. Throws a HeddleError that names the first line that is none. */
export const readInputText = async (files: Files, path: string, maximum?: number): Promise<string> =>
  decodeUtf8(await readInput(files, path, maximum), path);
