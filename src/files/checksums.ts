// Checksums of files. SHA-256: of whole files for `heddle verify` and other tools, and of chunks, which can be
// checked without reading a large file into memory. XXH32: for every load, since it costs less than reading the file.

import { sha256 } from '@noble/hashes/sha2.js';
import { type Files, openBlob } from './files.ts';
import { createXxh32, xxh32Of } from './xxh32.ts';

/** Size and checksums of a file. */
export interface FileChecksum {
  /** Size in bytes. */
  readonly size: number;
  /** SHA-256 of the whole file in hexadecimal. */
  readonly sha256: string;
  /** XXH32 of the whole file in hexadecimal; undefined in manifests of earlier versions and of continue.py. */
  readonly xxh32?: string;
  /** SHA-256 of each `chunkSize` bytes; only of files that have several chunks. */
  readonly chunks?: readonly string[];
}

/** Bytes that are hashed at a time: 64 MiB. */
const chunkSize = 64 * 2 ** 20;

/** `crypto.subtle` takes at most this many bytes in every runtime. */
const maxSubtle = 2 ** 30;

const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** SHA-256 of bytes in hexadecimal. */
export async function digest(bytes: Uint8Array): Promise<string> {
  const { subtle } = crypto as Partial<Crypto>; // pages that are not on https or localhost have none
  if (bytes.length > maxSubtle || !subtle) return toHex(sha256.create().update(bytes).digest());
  return toHex(new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)));
}

/** Returns the checksum of bytes that are written to a file. */
export async function checksumOf(bytes: Uint8Array): Promise<FileChecksum> {
  const { length: size } = bytes;
  const sums = { size, sha256: await digest(bytes), xxh32: xxh32Of(bytes) };
  if (size <= chunkSize) return sums;
  const chunks: string[] = [];
  for (let at = 0; at < size; at += chunkSize) chunks.push(await digest(bytes.subarray(at, at + chunkSize)));
  return { ...sums, chunks };
}

/** Returns the checksum of a file, which is read in chunks. */
export async function checksumOfFile(files: Files, path: string): Promise<FileChecksum> {
  const blob = await openBlob(files, path);
  if (blob.size <= chunkSize) return checksumOf(new Uint8Array(await blob.arrayBuffer()));
  const [whole, xxh32] = [sha256.create(), createXxh32()];
  const chunks: string[] = [];
  for (let at = 0; at < blob.size; at += chunkSize) {
    const bytes = new Uint8Array(await blob.slice(at, at + chunkSize).arrayBuffer());
    whole.update(bytes);
    xxh32.add(bytes);
    chunks.push(await digest(bytes));
  }
  return { size: blob.size, sha256: toHex(whole.digest()), xxh32: xxh32.hex(), chunks };
}

/** Files of at least this size are hashed in a thread of the host: starting one takes some ms. */
const minThreaded = 8 * 2 ** 20;

/**
 * Whether a file has a SHA-256. A large file is hashed in another thread: by the host, or by `crypto.subtle` one
 * chunk at a time.
 */
export async function fileHasChecksum(files: Files, path: string, expected: FileChecksum): Promise<boolean> {
  if (expected.size >= minThreaded && (await files.size?.(path)) === expected.size) {
    const hash = await files.sha256?.(path);
    if (hash !== undefined) return hash === expected.sha256;
  }
  const blob = await openBlob(files, path);
  if (blob.size !== expected.size) return false;
  const chunks = expected.chunks ?? [expected.sha256];
  for (const [i, chunk] of chunks.entries()) {
    const part = expected.chunks ? blob.slice(i * chunkSize, (i + 1) * chunkSize) : blob;
    if ((await digest(new Uint8Array(await part.arrayBuffer()))) !== chunk) return false;
  }
  return true;
}
