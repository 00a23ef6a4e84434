// What has come of a file so far, kept as pieces in a folder NAME.part beside where it will stand, so that a download goes on where
// it was cut off. A piece is named by its place, OFFSET-LENGTH; `about.json` says which version of the file the pieces are of.
import { HeddleError } from '../core/errors.ts';
import { type Files, readText, writeText } from '../files/files.ts';

/** Bytes that are gathered before they are written as a piece: what a killed process loses at most. */
const pieceBytes = 4 * 2 ** 20;

/** A version of a file: what a server or a listing says that tells it from others. */
export interface FileVersion {
  readonly url: string;
  readonly checksum?: string | undefined;
  readonly size?: number | undefined;
  readonly etag?: string | undefined;
}

/** A file on its way. */
export interface PartialFile {
  /** Bytes that are kept or gathered. */
  readonly length: number;
  /** The version that the kept bytes are of; undefined before the first. */
  readonly version: FileVersion | undefined;
  /** Throws away what was kept and begins with another version. */
  restart(version: FileVersion): Promise<void>;
  push(bytes: Uint8Array): Promise<void>;
  /** Writes what was gathered. */
  flush(): Promise<void>;
  /** The whole file. Throws a HeddleError where pieces are broken or memory is short. */
  whole(): Promise<Uint8Array>;
  remove(): Promise<void>;
}

/** Opens what is kept of the file at `path`; what cannot be used is thrown away. */
export async function openPartialFile(files: Files, path: string): Promise<PartialFile> {
  const folder = `${path}.part`;
  const about = `${folder}/about.json`;
  let version = await readVersion(files, about);
  let pieces = version ? await readPieces(files, folder) : [];
  let length = pieces.reduce((n, piece) => n + piece.length, 0);
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;

  const parts: PartialFile = {
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
      const bytes = join(gathered, gatheredBytes);
      [gathered, gatheredBytes] = [[], 0];
      await files.write(`${folder}/${piece.at}-${piece.length}`, bytes);
      pieces.push(piece);
      length += piece.length;
    },
    async whole() {
      await parts.flush();
      let out: Uint8Array;
      try {
        out = new Uint8Array(length);
      } catch (error) {
        throw new HeddleError(`${path}: no memory for its ${length} bytes`, { cause: error });
      }
      for (const { at, length: n } of pieces) {
        const bytes = await files.read(`${folder}/${at}-${n}`);
        if (bytes.length !== n)
          throw new HeddleError(`${folder}/${at}-${n}: it has ${bytes.length} bytes; remove ${folder}`);
        out.set(bytes, at);
      }
      return out;
    },
    remove: () => files.remove(folder),
  };
  return parts;
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

async function readVersion(files: Files, path: string): Promise<FileVersion | undefined> {
  if (!(await files.exists(path))) return undefined;
  try {
    const { url, checksum, size, etag } = JSON.parse(await readText(files, path)) as Record<string, unknown>;
    const text = (x: unknown): x is string | undefined => x === undefined || typeof x === 'string';
    if (typeof url !== 'string' || !text(checksum) || !text(etag)) return undefined;
    return { url, checksum, etag, ...(typeof size === 'number' && { size }) };
  } catch {
    return undefined; // written by half, or by another program
  }
}

/** The pieces from byte 0 on without a gap. */
async function readPieces(files: Files, folder: string): Promise<{ at: number; length: number }[]> {
  const found = (await files.list(folder)).flatMap((name) => {
    const [, at, length] = /^(\d{1,15})-(\d{1,15})$/.exec(name) ?? [];
    return at === undefined ? [] : [{ at: Number(at), length: Number(length) }];
  });
  const out: typeof found = [];
  let end = 0;
  for (const piece of found.sort((a, b) => a.at - b.at)) {
    if (piece.at !== end) break;
    out.push(piece);
    end += piece.length;
  }
  return out;
}
