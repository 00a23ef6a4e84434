// Files on disk, for jobs that run in Node and for the file server.
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { HeddleError } from '../core/errors.ts';
import { type Files, previousFolder } from '../files/files.ts';
import { lockFolder } from './folder-lock.ts';

/** Messages for the system's error codes. */
const reasons: Record<string, string> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'the system does not permit it',
  EROFS: 'it is on a read-only file system',
  EISDIR: 'it is a folder, a file is wanted',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'a part of the path is a file, not a folder',
  ENOTEMPTY: 'the folder is not empty',
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the disk quota is used up',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  EXDEV: 'it would have to move to another file system',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than the 2 GiB that can be read',
};

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

/** Runs `work`. An error of the system becomes a HeddleError with the operation, the path and the reason. */
async function named<T>(what: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const reason = reasons[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
    throw new HeddleError(`${path}: cannot ${what}: ${reason}`, { cause: error });
  }
}

const statOf = (path: string) =>
  fs.stat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  });

/**
 * Files on disk. Relative paths start at the working directory. A write is atomic: the file is complete or does not
 * exist.
 *
 * @example
 * const bytes = await nodeFiles().read('model/config.json');
 */
export function nodeFiles(): Files {
  return {
    read: (path) =>
      named('read', path, async () => {
        const { buffer, byteOffset, byteLength } = await fs.readFile(path);
        return new Uint8Array(buffer, byteOffset, byteLength);
      }),
    stream: (path) =>
      named('read', path, async () => {
        if (path === '-') return Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>;
        const file = await fs.open(path);
        if ((await file.stat()).isDirectory()) {
          await file.close();
          throw Object.assign(new Error(), { code: 'EISDIR' });
        }
        return Readable.toWeb(file.createReadStream({ highWaterMark: 2 ** 18 })) as ReadableStream<Uint8Array>;
      }),
    size: async (path) => {
      const found = path === '-' ? undefined : await statOf(path);
      return found?.isFile() ? found.size : undefined;
    },
    write: (path, bytes) =>
      named('write', path, async () => {
        await makeFolder(dirname(path));
        const existing = await statOf(path);
        if (existing && !existing.isFile()) return fs.writeFile(path, bytes); // write to a device or pipe, do not replace it
        const target = existing ? await fs.realpath(path) : path;
        const temporary = join(dirname(target), `.${randomBytes(6).toString('hex')}.partial`);
        try {
          await fs.writeFile(temporary, bytes);
          await fs.rename(temporary, target);
        } catch (error) {
          await fs.rm(temporary, { force: true });
          throw error;
        }
      }),
    exists: (path) => named('look at', path, async () => (await statOf(path)) !== undefined),
    list: (folder) => named('list', folder, async () => (await fs.readdir(folder)).sort()),
    rename: (from, to) => named('rename to', to, () => replace(from, to)),
    remove: (path) => named('remove', path, () => fs.rm(path, { recursive: true, force: true })),
    real: (path) => named('follow', path, () => realPath(path)),
    async lock(folder) {
      await makeFolder(dirname(folder)).catch(() => undefined); // the first save reports it
      return lockFolder(folder);
    },
  };
}

/**
 * Creates a folder and those above it. Node's option `recursive` never returns where the system creates no folder and
 * calls it missing, as in /proc.
 */
async function makeFolder(path: string): Promise<void> {
  if (await statOf(path)) return;
  await makeFolder(dirname(path));
  await fs.mkdir(path).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

/** The path with symbolic links followed, also if there is nothing yet at their end. */
async function realPath(path: string): Promise<string> {
  const target = await fs.readlink(path).catch(() => undefined);
  return target === undefined ? path : realPath(resolve(dirname(path), target));
}

/**
 * Renames. An existing folder is first moved to `previousOf(to)` and removed after the new one is in place. No portable
 * system call swaps two folders; if the process is killed in between, the old one is still at `previousOf(to)`, where
 * readers look too.
 */
async function replace(from: string, to: string): Promise<void> {
  await makeFolder(dirname(to));
  const previous = previousFolder(to);
  if ((await statOf(to))?.isDirectory()) {
    await fs.rm(previous, { recursive: true, force: true });
    await fs.rename(to, previous);
    try {
      await fs.rename(from, to);
    } catch (error) {
      await fs.rename(previous, to);
      throw error;
    }
  } else await fs.rename(from, to);
  await fs.rm(previous, { recursive: true, force: true });
}

/**
 * Path of `name` in heddle's cache folder: HEDDLE_CACHE, or the cache folder of this user. Files there can be deleted
 * at any time.
 */
export function cachePath(name: string): string {
  const { HEDDLE_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (HEDDLE_CACHE) return join(HEDDLE_CACHE, name);
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'heddle', name);
  if (process.platform === 'win32' && LOCALAPPDATA) return join(LOCALAPPDATA, 'heddle', name);
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'heddle', name);
}
