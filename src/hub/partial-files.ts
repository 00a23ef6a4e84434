// Partial downloads: the bytes of a file received so far, in chunks OFFSET-LENGTH in a folder NAME.part, so that a
// download can resume. about.json identifies the version of the file.
import { HeddleError } from '../core/errors.ts';
import { appendFile, concatBytes, type Files, readText, writeText } from '../files/files.ts';

/** Bytes that are buffered before they are written as a chunk: the maximum that a killed process loses. */
const pieceBytes = 4 * 2 ** 20;

/** Maximum size of a file: 2 GiB if it is written from memory; no limit on a disk. */
export const maxBytesOf = (files: Files): number => (files.append ? Number.MAX_SAFE_INTEGER : 2 ** 31 - 1);

/** Identifies a version of a file. */
export interface FileVersion {
  readonly url: string;
  readonly checksum?: string | undefined;
  readonly size?: number | undefined;
  readonly etag?: string | undefined;
}

/** A partially downloaded file. */
export interface PartialFile {
  /** Maximum number of bytes. */
  readonly maxBytes: number;
  /** Number of bytes received. */
  readonly length: number;
  /** Version of the received bytes; undefined before the first. */
  readonly version: FileVersion | undefined;
  /** Discards the received bytes and starts another version. */
  restart(version: FileVersion): Promise<void>;
  /** Appends bytes. */
  push(bytes: Uint8Array): Promise<void>;
  /** Writes buffered bytes. */
  flush(): Promise<void>;
  /**
   * Passes all received bytes to `onBytes`, in order. Returns what moves them to `path`, and keeps the chunks until then.
   * Throws a HeddleError if a chunk is damaged or memory is insufficient.
   */
  join(onBytes: (bytes: Uint8Array) => void): Promise<() => Promise<void>>;
  remove(): Promise<void>;
}

/** Opens the partial download of the file at `path`; unusable data is discarded. */
export async function openPartialFile(files: Files, path: string): Promise<PartialFile> {
  const folder = `${path}.part`;
  const about = `${folder}/about.json`;
  let version = await readVersion(files, about);
  let pieces = version ? await readPieces(files, folder) : [];
  let length = pieces.reduce((n, piece) => n + piece.length, 0);
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;

  const parts: PartialFile = {
    maxBytes: maxBytesOf(files),
    get length() {
      return length + gatheredBytes;
    },
    get version() {
      return version;
    },
    async restart(next) {
      [pieces, length, gathered, gatheredBytes] = [[], 0, [], 0];
      await files.remove(folder);
      await writeText(files, about, JSON.stringify(next));
      version = next;
    },
    async push(bytes) {
      gathered.push(bytes.slice());
      gatheredBytes += bytes.length;
      if (gatheredBytes >= pieceBytes) await parts.flush();
    },
    async flush() {
      if (gatheredBytes === 0) return;
      const piece = { at: length, length: gatheredBytes };
      const bytes = concatBytes(gathered);
      [gathered, gatheredBytes] = [[], 0];
      await files.write(`${folder}/${piece.at}-${piece.length}`, bytes);
      pieces.push(piece);
      length += piece.length;
    },
    async join(onBytes) {
      await parts.flush();
      const joined = files.append ? diskJoin(files, `${folder}/joined`) : memoryJoin(files, length, path);
      await joined.start();
      for (const { at, length: n } of pieces) {
        const bytes = await files.read(`${folder}/${at}-${n}`);
        if (bytes.length !== n)
          throw new HeddleError(`${folder}/${at}-${n}: it has ${bytes.length} bytes; remove ${folder}`);
        onBytes(bytes);
        await joined.add(bytes);
      }
      return () => joined.moveTo(path);
    },
    remove: () => files.remove(folder),
  };
  return parts;
}

/** A file that is joined from chunks. */
interface JoinedFile {
  start(): Promise<void>;
  add(bytes: Uint8Array): Promise<void>;
  moveTo(path: string): Promise<void>;
}

/** A file on a disk, of any size. */
const diskJoin = (files: Files, temporary: string): JoinedFile => ({
  start: () => files.write(temporary, new Uint8Array()),
  add: (bytes) => appendFile(files, temporary, bytes),
  moveTo: (path) => files.rename(temporary, path),
});

/** A file in memory, of up to 2 GiB. */
function memoryJoin(files: Files, length: number, title: string): JoinedFile {
  let whole = new Uint8Array();
  let at = 0;
  return {
    async start() {
      try {
        whole = new Uint8Array(length);
      } catch (error) {
        throw new HeddleError(`${title}: not enough memory for ${length} bytes`, { cause: error });
      }
    },
    async add(bytes) {
      whole.set(bytes, at);
      at += bytes.length;
    },
    moveTo: (path) => files.write(path, whole),
  };
}

async function readVersion(files: Files, path: string): Promise<FileVersion | undefined> {
  if (!(await files.exists(path))) return undefined;
  try {
    const { url, checksum, size, etag } = JSON.parse(await readText(files, path)) as Record<string, unknown>;
    const text = (x: unknown): x is string | undefined => x === undefined || typeof x === 'string';
    if (typeof url !== 'string' || !text(checksum) || !text(etag)) return undefined;
    return { url, checksum, etag, ...(typeof size === 'number' && { size }) };
  } catch {
    return undefined; // incomplete, or written by another program
  }
}

/** The chunks from byte 0 on without a gap. */
async function readPieces(files: Files, folder: string): Promise<{ at: number; length: number }[]> {
  const chunks = (await files.list(folder)).flatMap((name) => {
    const [, at, length] = /^(\d{1,15})-(\d{1,15})$/.exec(name) ?? [];
    return at === undefined ? [] : [{ at: Number(at), length: Number(length) }];
  });
  const out: typeof chunks = [];
  let end = 0;
  for (const piece of chunks.sort((a, b) => a.at - b.at)) {
    if (piece.at !== end) break;
    out.push(piece);
    end += piece.length;
  }
  return out;
}
