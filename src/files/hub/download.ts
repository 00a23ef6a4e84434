// Downloads one file from a hub: resumes with range requests, verifies size and checksum, and moves the file
// into place.

import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { present } from '../../core/present.ts';
import { type Files, openBlob } from '../files.ts';
import { errorHints, type HttpOptions, RetryableError, send, statusError, withRetries } from './http.ts';
import { type FileVersion, maxBytesOf, openPartialFile, type PartialFile } from './partial-files.ts';
import { type Checksum, checksumOf, checksumWriter, type RemoteFile } from './repository.ts';

/** Reports progress: bytes received, and the size of the file if known. */
export type OnBytes = (done: number, total: number | undefined) => void;

/**
 * Downloads a file to `folder`/name; returns its size, or undefined if it is optional and does not exist.
 * Throws a HeddleError; the received part stays in name.part for a later call, unless the checksum is wrong.
 */
export async function download(
  http: HttpOptions,
  files: Files,
  folder: string,
  remote: RemoteFile,
  onBytes: OnBytes,
): Promise<number | undefined> {
  const file = remote.checksum ? remote : await describeFile(http, remote);
  if (!file) return undefined;
  const { name, title } = file;
  const path = `${folder}/${name}`;
  const maxBytes = maxBytesOf(files);
  if ((file.size ?? 0) > maxBytes)
    throw new HeddleError(msg`it has ${file.size} bytes, the maximum is ${maxBytes}`, {
      area: title,
      kind: 'input',
    });
  if (await files.exists(path)) {
    const length = await lengthIfSame(files, path, file);
    if (length !== undefined) {
      onBytes(length, length);
      return length;
    }
    await files.remove(path);
  }
  const parts = await openPartialFile(files, path);
  const { version } = parts;
  const known = versionOf(file);
  if (version && !isSame(version, known)) await parts.restart(known);
  const hint = msg`the part of ${title} that arrived is kept, ${errorHints(http).resume}`;
  let furthest = parts.length;
  const exists = await withRetries(http, hint, (progress) =>
    receive(http, file, parts, (done, total) => {
      // After a restart, bytes received before are not progress.
      if (done > furthest) progress();
      furthest = Math.max(furthest, done);
      onBytes(done, total);
    }),
  );
  if (!exists) {
    await parts.remove();
    return undefined;
  }
  const { length } = parts;
  const stated = file.checksum && checksumWriter(file.checksum.kind, length);
  const moveInto = await parts.join((bytes) => stated?.add(bytes));
  await check(file, length, stated?.hex(), parts);
  await moveInto();
  await parts.remove();
  return length;
}

function versionOf({ url, checksum, size }: RemoteFile, etag?: string): FileVersion {
  return { url, checksum: checksum?.hex, size, etag };
}

const isSame = (a: Partial<FileVersion>, b: FileVersion): boolean =>
  a.url === b.url &&
  a.checksum === b.checksum &&
  (b.size === undefined || a.size === undefined || a.size === b.size);

/**
 * Asks the server (HEAD) for size and checksum of a file that no listing describes. A hub sends both in its
 * redirect to the storage of large files, which a page cannot read; then they stay unknown.
 */
const describeFile = async (http: HttpOptions, file: RemoteFile): Promise<RemoteFile | undefined> =>
  await withRetries(http, undefined, async () => {
    const allowed = [400, 404, 405, 501];
    const { response, timer } = await send(http, file.url, file.title, {
      method: 'HEAD',
      redirect: 'manual',
      allowed,
    });
    timer.stop();
    const { status, headers } = response;
    if (status === 404 && file.optional) return undefined;
    if (status === 404) throw statusError(response, file.title, http);
    if (status >= 400 || response.type === 'opaqueredirect') return file;
    const isRedirect = status >= 300;
    const stated =
      checksumOf(headers.get('X-Linked-Etag')) ?? (isRedirect ? undefined : checksumOf(headers.get('ETag')));
    const size = sizeIn(headers.get('X-Linked-Size') ?? (isRedirect ? null : headers.get('Content-Length')));
    return { ...file, size: size ?? file.size, checksum: stated ?? file.checksum };
  });

/**
 * Size in bytes of a stored file; undefined if it differs from the hub's size or checksum, or the hub states
 * neither.
 */
async function lengthIfSame(
  files: Files,
  path: string,
  { size, checksum: stated }: RemoteFile,
): Promise<number | undefined> {
  const blob = await openBlob(files, path);
  if (size !== undefined && size !== blob.size) return undefined;
  if (!stated) return size;
  const actual = checksumWriter(stated.kind, blob.size);
  for await (const bytes of blob.stream()) actual.add(bytes);
  return actual.hex() === stated.hex ? blob.size : undefined;
}

/** Verifies size and checksum; discards a wrong file, so that the next try starts from the beginning. */
async function check(
  { title, size, checksum: stated }: RemoteFile,
  length: number,
  actual: string | undefined,
  parts: PartialFile,
): Promise<void> {
  const titles: Record<Checksum['kind'], string> = { sha256: 'SHA-256', git: 'Git checksum' };
  const reason =
    size !== undefined && size !== length
      ? msg`it has ${length} bytes, the hub says ${size}`
      : stated && actual !== stated.hex
        ? msg`its ${titles[stated.kind]} is ${actual}, the hub says ${stated.hex}`
        : undefined;
  if (reason === undefined) return;
  await parts.remove();
  throw new HeddleError(msg`${reason}; the file has been removed, try again`, {
    area: title,
    kind: 'network',
  });
}

/**
 * Requests the missing bytes and receives them; false if the file is optional and missing. Throws a
 * RetryableError if the body ends early.
 */
async function receive(
  http: HttpOptions,
  file: RemoteFile,
  parts: PartialFile,
  onBytes: OnBytes,
): Promise<boolean> {
  const { title, url, optional } = file;
  const { maxBytes } = parts;
  if (file.size !== undefined && parts.length === file.size && parts.version) return true;
  const have = parts.length;
  const headers: Record<string, string> = have > 0 ? { Range: `bytes=${have}-` } : {};
  const { response, timer } = await send(http, url, title, {
    headers,
    allowed: present([416, optional ? 404 : undefined]),
  });
  try {
    const end = () => response.body?.cancel().catch(() => undefined);
    const version = versionOf(file, response.headers.get('ETag') ?? undefined);
    if (response.status === 404) {
      await end();
      return false;
    }
    const range = rangeOf(response, have);
    // Not If-Range: some servers do not allow a page to send it (CORS).
    const etag = parts.version?.etag;
    const changed = have > 0 && etag !== undefined && version.etag !== undefined && etag !== version.etag;
    if (response.status === 416 || range === 'other' || (changed && response.status === 206)) {
      await end();
      await parts.restart(version);
      throw new RetryableError(msg`the file has changed on the hub`, { area: title });
    }
    if (response.status !== 206 || !parts.version) await parts.restart(version);
    const stated = range ?? lengthOf(response);
    if (file.size !== undefined && stated !== undefined && stated !== file.size) {
      await end();
      await parts.remove();
      throw new HeddleError(msg`it has ${stated} bytes, the hub says ${file.size}`, {
        area: title,
        kind: 'network',
      });
    }
    const total = file.size ?? stated;
    if ((total ?? 0) > maxBytes)
      throw new HeddleError(msg`it has ${total} bytes, the maximum is ${maxBytes}`, {
        area: title,
        kind: 'input',
      });
    onBytes(parts.length, total);
    await store(response, http, title, total, parts, (done) => {
      timer.reset();
      onBytes(done, total);
    });
    if (total !== undefined && parts.length < total)
      throw new RetryableError(msg`the connection was cut after ${parts.length} of ${total} bytes`, {
        area: title,
      });
    return true;
  } finally {
    timer.stop();
  }
}

/**
 * The file size from Content-Range; `other` if the range does not start at `have`, undefined without a range.
 */
function rangeOf({ status, headers }: Response, have: number): number | 'other' | undefined {
  if (status !== 206) return undefined;
  const [, from, , of] =
    /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(headers.get('Content-Range') ?? '') ?? [];
  if (from === undefined || Number(from) !== have) return 'other';
  return of === '*' ? undefined : Number(of);
}

function lengthOf({ status, headers }: Response): number | undefined {
  const isPlain = (headers.get('Content-Encoding') ?? 'identity') === 'identity';
  return status === 200 && isPlain ? sizeIn(headers.get('Content-Length')) : undefined;
}

/** The number in a header; undefined if it is missing or not a number. */
const sizeIn = (header: string | null): number | undefined =>
  header !== null && /^\d{1,15}$/.test(header) ? Number(header) : undefined;

/** Stores the body while it arrives, also if the connection breaks. */
async function store(
  response: Response,
  http: HttpOptions,
  title: string,
  total: number | undefined,
  parts: PartialFile,
  onBytes: (done: number) => void,
): Promise<void> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const longest = total ?? parts.maxBytes;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        http.signal.throwIfAborted();
        const reason = error instanceof RetryableError ? error.template : msg`the connection was cut`;
        const text =
          total === undefined
            ? msg`${reason} after ${parts.length} bytes`
            : msg`${reason} after ${parts.length} of ${total} bytes`;
        throw new RetryableError(text, { area: title, cause: error });
      });
      if (done) break;
      if (parts.length + value.length > longest) {
        await parts.remove();
        throw new HeddleError(msg`the body is longer than ${longest} bytes`, {
          area: title,
          kind: 'network',
        });
      }
      await parts.push(value);
      onBytes(parts.length);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
    await parts.flush();
  }
}
