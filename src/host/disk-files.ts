// Files on disk, by the file system calls of Node or Deno.

import { errorKind, HeddleError, messageOf } from '../core/errors.ts';
import { type Message, msg } from '../core/message.ts';
import {
  type Files,
  folderPart,
  isTemporary,
  setSeparator,
  temporaryBeside,
  withoutEndSlash,
  withSlashes,
} from '../files/files.ts';

if (globalThis.process?.platform === 'win32') setSeparator('\\');

/** File system calls. They reject with errors whose `code` is the system's, such as ENOENT. */
export interface Disk {
  /** See `Files.read`. */
  read(path: string, onPart?: (part: Uint8Array) => void): Promise<Uint8Array>;
  /** `-` is stdin. */
  stream(path: string): Promise<ReadableStream<Uint8Array>>;
  /** A file whose parts are read by `slice`. */
  blob?(path: string): Promise<Blob>;
  write(path: string, bytes: Uint8Array): Promise<void>;
  append(path: string, bytes: Uint8Array): Promise<void>;
  stat(
    path: string,
  ): Promise<{ readonly isFile: boolean; readonly isFolder: boolean; readonly size: number }>;
  /** Names in a folder, in any order. */
  list(folder: string): Promise<string[]>;
  /** Creates a folder in an existing one. */
  makeFolder(path: string): Promise<void>;
  /** The path of an existing file with symbolic links followed. */
  realPath(path: string): Promise<string>;
  /** The target of a symbolic link. */
  readLink(path: string): Promise<string>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder with its contents, if it exists. */
  remove(path: string): Promise<void>;
  /** Free bytes of the disk of an existing file or folder. */
  free?(path: string): Promise<number>;
}

/** Messages for the system's error codes. */
const reasons: Readonly<Record<string, Message>> = {
  ENOENT: msg`there is no such file or folder`,
  EACCES: msg`permission denied`,
  EPERM: msg`the system does not permit it`,
  EROFS: msg`it is on a read-only file system`,
  EISDIR: msg`it is a folder, not a file`,
  ENOTDIR: msg`a part of the path is a file, not a folder`,
  EEXIST: msg`a part of the path is a file, not a folder`,
  ENOTEMPTY: msg`the folder is not empty`,
  ENOSPC: msg`no space is left on the disk`,
  EDQUOT: msg`the disk quota is used up`,
  EMFILE: msg`too many files are open`,
  ENAMETOOLONG: msg`the name is too long`,
  ELOOP: msg`its symbolic links lead in a circle`,
  EFBIG: msg`it is larger than the system permits`,
  EXDEV: msg`it would have to move to another file system`,
  ERR_FS_FILE_TOO_LARGE: msg`it is larger than the 2 GiB that can be read`,
};

/** How many symbolic links in a row are followed: as many as Linux follows. */
const maxLinks = 40;

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? '';

/** The reason of a failed call of the file system. */
export const systemReason = (error: unknown): Message | string => reasons[codeOf(error)] ?? messageOf(error);

/** Runs `work`. An error of the system becomes a HeddleError with the operation, the path and the reason. */
async function withPath<T>(action: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HeddleError) throw error;
    const kind = errorKind(error);
    throw new HeddleError(msg`cannot ${action}: ${systemReason(error)}`, { area: path, kind, cause: error });
  }
}

/** The folder of a path; `.` if it has none. */
const folderOf = (path: string): string => withoutEndSlash(folderPart(path)) || '.';

/** What is at a path; undefined if there is nothing. */
const statIn = (disk: Disk, path: string) =>
  disk.stat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  });

/**
 * Creates the folder of a file and its parents, one by one. Node's option `recursive` never returns if the
 * system cannot create a folder and reports it as missing, as in /proc.
 */
export async function makeFolderOf(disk: Disk, path: string): Promise<void> {
  const folder = folderOf(path);
  if (await statIn(disk, folder)) return;
  await makeFolderOf(disk, folder);
  await disk.makeFolder(folder).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

/**
 * Files on `disk`. Relative paths start at the working directory. A write is atomic: the file is complete or
 * does not exist.
 */
export function diskFiles(disk: Disk): Files {
  const statOf = (path: string) => statIn(disk, path);

  /** The path without symbolic links; their target need not exist. */
  const follow = async (path: string, links = 0): Promise<string> => {
    const target = await disk.readLink(path).catch(() => undefined);
    if (target === undefined) return path;
    if (links === maxLinks) throw Object.assign(new Error(), { code: 'ELOOP' });
    const isAbsolute = /^(?:\/|[a-z]:\/)/i.test(withSlashes(target));
    return follow(isAbsolute ? target : `${folderOf(path)}/${target}`, links + 1);
  };

  const rename = async (from: string, to: string): Promise<void> => {
    await makeFolderOf(disk, to);
    if ((await statOf(to))?.isFolder)
      throw new HeddleError(msg`cannot rename ${from}: a folder is there`, { area: to, kind: 'input' });
    await disk.rename(from, to);
  };

  return {
    read: (path, onPart) => withPath('read', path, () => disk.read(path, onPart)),
    stream: (path) => withPath('read', path, () => disk.stream(path)),
    blob:
      disk.blob && ((path) => withPath('read', path, () => (disk.blob as NonNullable<Disk['blob']>)(path))),
    size: (path) =>
      withPath('access', path, async () => {
        const stats = path === '-' ? undefined : await statOf(path);
        return stats?.isFile ? stats.size : undefined;
      }),
    write: (path, bytes) =>
      withPath('write', path, async () => {
        const existing = await statOf(path);
        if (existing && !existing.isFile) return disk.write(path, bytes); // write to a device or pipe, do not replace it
        const target = existing ? await disk.realPath(path) : await follow(path);
        await makeFolderOf(disk, target);
        if (isTemporary(target)) return disk.write(target, bytes);
        const temporary = temporaryBeside(target);
        try {
          await disk.write(temporary, bytes);
          await disk.rename(temporary, target);
        } catch (error) {
          await disk.remove(temporary);
          throw error;
        }
      }),
    append: (path, bytes) =>
      withPath('write', path, async () => {
        await makeFolderOf(disk, path);
        await disk.append(path, bytes);
      }),
    exists: (path) => withPath('access', path, async () => (await statOf(path)) !== undefined),
    list: (folder) => withPath('list', folder, async () => (await disk.list(folder)).sort()),
    rename: (from, to) => withPath('rename to', to, () => rename(from, to)),
    remove: (path) => withPath('remove', path, () => disk.remove(path)),
    async free(path) {
      let at = path; // the nearest folder that exists
      while (!(await statOf(at)) && at !== '/' && at !== '.') at = folderOf(at);
      return disk.free?.(at).catch(() => undefined);
    },
    real: (path) => withPath('follow', path, () => follow(path)),
  };
}
