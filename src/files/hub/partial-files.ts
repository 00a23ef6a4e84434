// Partial downloads: the bytes of a file received so far, in chunks OFFSET-LENGTH in a folder NAME.part, so
// that a download can resume. about.json identifies the version of the file.

import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { appendFile, concatBytes, type Files, writeText } from '../files.ts';
import { readJson } from '../json-files.ts';

/** Bytes that are buffered before they are written as a chunk: the maximum that a killed process loses. */
const chunkBytes = 4 * 2 ** 20;

/** Maximum size of a file: 2 GiB if it is written from memory; no limit on a disk. */
export const maxBytesOf = (files: Files): number => (files.append ? Number.MAX_SAFE_INTEGER : 2 ** 31 - 1);

/** Identifies a version of a file. */
export interface FileVersion {
  readonly url: string;
  readonly checksum?: string;
  readonly size?: number;
  readonly etag?: string;
}

/** A partially downloaded file. */
export interface PartialFile {
  /** Maximum number of bytes. */
  readonly maxBytes: number;
  /** Number of bytes received. */
  readonly length: number;
  /** Version of the received bytes; undefined before the first. */
  readonly version: Partial<FileVersion> | undefined;
  /** Discards the received bytes and starts another version. */
  restart(version: FileVersion): Promise<void>;
  /** Appends bytes. */
  push(bytes: Uint8Array): Promise<void>;
  /** Writes buffered bytes. */
  flush(): Promise<void>;
  /**
   * Joins the chunks and passes all bytes to `onBytes`, in order. Returns a function that moves the joined
   * file to its path; the chunks stay until `remove`. Throws a HeddleError if a chunk is damaged or memory is
   * insufficient.
   */
  join(onBytes: (bytes: Uint8Array) => void): Promise<() => Promise<void>>;
  remove(): Promise<void>;
}

/**
 * Throws a HeddleError if the folder of an incomplete download has something that no download wrote. `isOwn`: whether
 * a download writes a file of this name.
 */
export async function checkPartialFolder(
  files: Files,
  folder: string,
  isOwn: (name: string) => boolean,
): Promise<void> {
  const names = (await files.exists(folder)) ? await files.list(folder) : [];
  const other = names.find((name) => !isOwn(name.replace(/\.part$/, '')));
  if (other !== undefined)
    throw new HeddleError(
      msg`this folder is for the incomplete download, but has ${other}; move that file away, or use another folder`,
      { area: folder, kind: 'input' },
    );
}

/** Opens the partial download of the file at `path`; unusable data is discarded. */
export async function openPartialFile(files: Files, path: string): Promise<PartialFile> {
  const folder = `${path}.part`;
  const about = `${folder}/about.json`;
  // Unreadable if it is incomplete, or another program wrote it.
  let version = await (readJson(files, about) as Promise<Partial<FileVersion>>).catch(() => undefined);
  let chunks = version ? await readChunks(files, folder) : [];
  let length = chunks.reduce((n, chunk) => n + chunk.length, 0);
  let buffered: Uint8Array[] = [];
  let bufferedBytes = 0;

  const parts: PartialFile = {
    maxBytes: maxBytesOf(files),
    get length() {
      return length + bufferedBytes;
    },
    get version() {
      return version;
    },
    async restart(next) {
      [chunks, length, buffered, bufferedBytes] = [[], 0, [], 0];
      await files.remove(folder);
      await writeText(files, about, JSON.stringify(next));
      version = next;
    },
    async push(bytes) {
      buffered.push(bytes.slice());
      bufferedBytes += bytes.length;
      if (bufferedBytes >= chunkBytes) await parts.flush();
    },
    async flush() {
      if (bufferedBytes === 0) return;
      const chunk = { at: length, length: bufferedBytes };
      const bytes = concatBytes(buffered);
      [buffered, bufferedBytes] = [[], 0];
      await files.write(`${folder}/${chunk.at}-${chunk.length}`, bytes);
      chunks.push(chunk);
      length += chunk.length;
    },
    async join(onBytes) {
      await parts.flush();
      // On a disk the file is joined by appending; without `append`, it is joined in memory.
      const temporary = `${folder}/joined`;
      const whole = files.append ? undefined : allocate(length, path);
      if (!whole) await files.write(temporary, new Uint8Array());
      for (const { at, length: n } of chunks) {
        const bytes = await files.read(`${folder}/${at}-${n}`);
        if (bytes.length !== n)
          throw new HeddleError(msg`it has ${bytes.length} bytes; remove ${folder}`, {
            area: `${folder}/${at}-${n}`,
            kind: 'input',
          });
        onBytes(bytes);
        if (whole) whole.set(bytes, at);
        else await appendFile(files, temporary, bytes);
      }
      return () => (whole ? files.write(path, whole) : files.rename(temporary, path));
    },
    remove: () => files.remove(folder),
  };
  return parts;
}

/** Number of bytes received of the file at `path`. */
export async function partialBytes(files: Files, path: string): Promise<number> {
  const folder = `${path}.part`;
  if (!(await files.exists(folder))) return 0;
  return (await readChunks(files, folder)).reduce((n, { length }) => n + length, 0);
}

function allocate(length: number, title: string): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (error) {
    throw new HeddleError(msg`not enough memory for ${length} bytes`, {
      area: title,
      kind: 'memory',
      cause: error,
    });
  }
}

/** The chunks from byte 0 on without a gap. */
async function readChunks(files: Files, folder: string): Promise<{ at: number; length: number }[]> {
  const chunks = (await files.list(folder)).flatMap((name) => {
    const [, at, length] = /^(\d{1,15})-(\d{1,15})$/.exec(name) ?? [];
    return at === undefined ? [] : [{ at: Number(at), length: Number(length) }];
  });
  const out: typeof chunks = [];
  let end = 0;
  for (const chunk of chunks.sort((a, b) => a.at - b.at)) {
    if (chunk.at !== end) break;
    out.push(chunk);
    end += chunk.length;
  }
  return out;
}
