// Files that cache data next to a model folder: the SHA-256 of the rest, a header in JSON, then arrays.

import { HeddleError } from '../../core/errors.ts';
import type { Pace } from '../../core/steps.ts';
import { digest } from '../../files/checksums.ts';
import { concatBytes, type Files, openBlob } from '../../files/files.ts';

/** Bytes that are hashed together. */
const blockBytes = 2 ** 22;

/** SHA-256 of the SHA-256 of all blocks, so that large data is never in memory as a whole. */
export async function hashOf(
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  pace?: (done: number) => unknown,
) {
  const hashes: string[] = [];
  const block = new Uint8Array(blockBytes);
  let used = 0;
  for await (const part of parts)
    for (let at = 0; at < part.length; ) {
      const piece = part.subarray(at, at + blockBytes - used);
      block.set(piece, used);
      used += piece.length;
      at += piece.length;
      if (used < blockBytes) continue;
      hashes.push(await digest(block));
      used = 0;
      await pace?.(hashes.length * blockBytes);
    }
  hashes.push(await digest(block.subarray(0, used)));
  return digest(new TextEncoder().encode(hashes.join()));
}

/**
 * Length of the first line of a cache, the SHA-256 of the rest. The second line is the header, padded with
 * spaces.
 */
const hashBytes = 65;

/**
 * Writes a cache: a header that is plain JSON, and the bytes of arrays. Throws a HeddleError if it cannot be written,
 * or a file is there that is no cache.
 */
export async function writeCacheFile(
  files: Files,
  path: string,
  header: object,
  arrays: readonly Uint8Array[],
): Promise<void> {
  if (!(await isCacheOrNew(files, path)))
    throw new HeddleError('heddle did not write this file, so it is not replaced', { area: path });
  const line = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(line.length + 8 - ((hashBytes + line.length) % 8)).fill(32);
  padded.set(line);
  padded[padded.length - 1] = 10;
  const rest = [padded, ...arrays];
  const hash = new TextEncoder().encode(`${await hashOf(rest)}\n`);
  await files.write(path, concatBytes([hash, ...rest]));
}

/** Whether a file starts as a cache does, with the line of its hash, or does not exist. */
async function isCacheOrNew(files: Files, path: string): Promise<boolean> {
  if (!(await files.exists(path))) return true;
  if (files.size && (await files.size(path)) === undefined) return false; // a folder or a device
  const start = await (await openBlob(files, path)).slice(0, hashBytes + 1).text();
  return /^(\w{64}\n\{)?$/.test(start);
}

/** Removes a cache. Leaves a file that is no cache. */
export async function removeCacheFile(files: Files, path: string): Promise<void> {
  if ((await files.exists(path)) && (await isCacheOrNew(files, path))) await files.remove(path);
}

/** Why a cache cannot be used: its contents have changed, or it was made from other inputs. */
export type CacheProblem = 'damaged' | 'outdated';

/**
 * Reads a cache: its header, and the bytes of its arrays, which start at a multiple of 4. Returns the problem if it
 * cannot be used; undefined if there is none. `pace` is called between blocks.
 */
export async function readCacheFile<Header>(
  files: Files,
  path: string,
  pace: Pace,
): Promise<{ readonly header: Header; readonly bytes: Uint8Array } | CacheProblem | undefined> {
  if (!(await files.exists(path))) return undefined;
  const file = await files.read(path).catch(() => new Uint8Array());
  const end = file.indexOf(10, hashBytes);
  const hash = new TextDecoder().decode(file.subarray(0, hashBytes - 1));
  const check = (done: number) => pace({ task: 'check', done, total: file.length });
  if (end < 0 || hash !== (await hashOf([file.subarray(hashBytes)], check))) return 'damaged';
  const header = JSON.parse(new TextDecoder().decode(file.subarray(hashBytes, end))) as Header;
  const aligned = (file.byteOffset + end + 1) % 4 === 0 ? file : file.slice();
  return { header, bytes: aligned.subarray(end + 1) };
}
