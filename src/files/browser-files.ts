// Files in the browser's private file system (OPFS), for jobs in a page's worker. Writing and renaming a file
// are atomic, even if the tab is closed meanwhile; renaming a folder moves its files one by one.
//
// Earlier versions kept the files of a model in a subfolder, a generation such as `.g7`, whose name is in the
// file `.current`. Such a folder is read and written in that subfolder.

import { check, errorKind, HeddleError, messageOf } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import type { Files } from './files.ts';

/** File with the name of the current generation of a folder. */
const currentFile = '.current';
const isGeneration = (name: string): boolean => /^\.g\d+$/.test(name);
/** Temporary name of a file that is being written. */
const unfinished = (name: string): string => `.new-${name}`;
const isOwn = (name: string): boolean =>
  name === currentFile || isGeneration(name) || name.startsWith('.new-');

/** A file handle with methods that TypeScript's DOM types lack. */
interface StoredFile extends FileSystemFileHandle {
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
  /** Only in workers: opens the file to write in place. */
  createSyncAccessHandle?(): Promise<{
    getSize(): number;
    write(bytes: Uint8Array, options: { readonly at: number }): number;
    close(): void;
  }>;
}

const errorName = (error: unknown): string => (error instanceof Error ? error.name : '');
const isAbsent = (error: unknown): boolean =>
  ['NotFoundError', 'TypeMismatchError'].includes(errorName(error));
/** Whether the file was replaced after it was opened. */
const isReplaced = (error: unknown): boolean => errorName(error) === 'NotReadableError';

/** Resolves to undefined instead of rejecting if the file or folder does not exist. */
async function ifExists<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function storageError(action: string, path: string, error: unknown): Promise<HeddleError> {
  if (error instanceof HeddleError) return error;
  if (errorName(error) === 'QuotaExceededError')
    return new HeddleError(msg`cannot ${action}: ${await quotaMessage()}`, { area: path, kind: 'quota' });
  const kind = errorKind(error);
  const reason = kind === 'not-found' ? 'there is no such file or folder' : messageOf(error);
  return new HeddleError(msg`cannot ${action} in the browser's storage: ${reason}`, {
    area: path,
    kind,
    cause: error,
  });
}

/** Message of a full storage: its usage and quota, and how to free space. */
async function quotaMessage(): Promise<string> {
  const { usage = 0, quota = 0 } = (await globalThis.navigator?.storage?.estimate?.()) ?? {};
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
  return (
    `the browser has no room left (${mb(usage)} of ${mb(quota)} MB are used); ` +
    'delete models that you no longer need, or free space on the disk'
  );
}

const parts = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.');

/** Files that also report size and time of a folder. */
export interface BrowserFiles extends Files {
  /**
   * Bytes of the files in a folder, without subfolders, and time of the last write, in milliseconds since
   * 1970.
   */
  facts(folder: string): Promise<{ readonly bytes: number; readonly time: number }>;
  /** Writes a file in parts, so that it may be larger than memory; it is there when all are written. */
  writeParts(path: string, parts: AsyncIterable<Uint8Array>): Promise<void>;
}

/**
 * Returns the current generation of a folder, or the folder itself if it has none; undefined if it is empty or
 * has only an unfinished generation.
 */
async function generationOf(
  folder: FileSystemDirectoryHandle,
): Promise<FileSystemDirectoryHandle | undefined> {
  const file = await ifExists(folder.getFileHandle(currentFile));
  const current = file && (await (await file.getFile()).text());
  if (current) return folder.getDirectoryHandle(current);
  for await (const name of folder.keys()) if (!isOwn(name)) return folder;
  return undefined;
}

/** The folders of a path, and the name in the last one. */
function split(path: string): [string[], string] {
  const all = parts(path);
  return [all.slice(0, -1), all.at(-1) ?? ''];
}

/** What a stream of a file can write. */
type Content = FileSystemWriteChunkType | Uint8Array;

/** Writes to a file. `close` replaces it atomically; a stream that is left open would keep the file locked. */
async function fill(
  file: FileSystemFileHandle,
  content: Iterable<Content> | AsyncIterable<Content>,
  options?: FileSystemCreateWritableOptions,
): Promise<void> {
  const writable = await file.createWritable(options);
  try {
    for await (const part of content) await writable.write(part as FileSystemWriteChunkType);
    await writable.close();
  } catch (error) {
    await writable.abort().catch(() => undefined);
    throw error;
  }
}

/** Writes a file. Until its content is complete a new file would be visible but empty, so it has a temporary name. */
async function store(
  folder: FileSystemDirectoryHandle,
  name: string,
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const isNew = (await ifExists(folder.getFileHandle(name))) === undefined;
  const first = isNew ? unfinished(name) : name;
  const handle: StoredFile = await folder.getFileHandle(first, { create: true });
  try {
    await fill(handle, content);
    if (isNew) await moveFile(handle, folder, name);
    if (isNew && !handle.move) await folder.removeEntry(first);
  } catch (error) {
    if (isNew) await folder.removeEntry(first).catch(() => undefined);
    throw error;
  }
}

/** Moves a file, or copies it if the browser has no `move`, which is not standardized. */
async function moveFile(file: StoredFile, to: FileSystemDirectoryHandle, name: string): Promise<void> {
  if (file.move) return file.move(to, name);
  await fill(await to.getFileHandle(name, { create: true }), [await file.getFile()]);
}

/** Moves all files of a folder into another. */
async function moveAll(from: FileSystemDirectoryHandle, to: FileSystemDirectoryHandle): Promise<void> {
  const entries: [string, FileSystemHandle][] = [];
  for await (const entry of from.entries()) if (!isOwn(entry[0])) entries.push(entry);
  for (const [name, handle] of entries) {
    if (handle.kind === 'directory') {
      const next = await to.getDirectoryHandle(name, { create: true });
      await moveAll(handle as FileSystemDirectoryHandle, next);
    } else await moveFile(handle as StoredFile, to, name);
  }
}

/**
 * Appends to a file that exists: in place, as workers can. Elsewhere the browser copies the file, and `close`
 * replaces it.
 */
async function appendTo(file: StoredFile, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const inPlace = await file.createSyncAccessHandle?.().catch(() => undefined); // undefined: it is open elsewhere
  if (inPlace) {
    try {
      inPlace.write(bytes, { at: inPlace.getSize() });
    } finally {
      inPlace.close();
    }
    return;
  }
  const { size } = await file.getFile();
  await fill(file, [{ type: 'write', position: size, data: bytes }], { keepExistingData: true });
}

/** The folders and files under a folder of OPFS, by path. */
class StoredFolders {
  readonly #root: FileSystemDirectoryHandle;

  constructor(root: FileSystemDirectoryHandle) {
    this.#root = root;
  }

  /** The folder of these names; undefined if it does not exist. */
  async folder(
    path: readonly string[],
    options?: FileSystemGetDirectoryOptions,
  ): Promise<FileSystemDirectoryHandle | undefined> {
    let at: FileSystemDirectoryHandle | undefined = this.#root;
    for (const part of path) {
      const next: FileSystemDirectoryHandle | undefined = await ifExists(
        at.getDirectoryHandle(part, options),
      );
      at = next && ((await generationOf(next)) ?? (options?.create ? next : undefined));
      if (!at) return undefined;
    }
    return at;
  }

  /** The folder of a path, created if it does not exist, and the name in it. */
  async parentOf(path: string): Promise<[FileSystemDirectoryHandle, string]> {
    const [folder, name] = split(path);
    const parent = await this.folder(folder, { create: true });
    if (!parent || !name)
      throw new HeddleError('cannot write: a part of the path is a file, not a folder', {
        area: path,
        kind: 'input',
      });
    return [parent, name];
  }

  /** The file of a path; undefined if it does not exist. */
  async file(path: string): Promise<FileSystemFileHandle | undefined> {
    const [folder, name] = split(path);
    const parent = await this.folder(folder);
    return parent && name ? ifExists(parent.getFileHandle(name)) : undefined;
  }

  async open(path: string): Promise<File> {
    const file = await this.file(path);
    if (!file) throw new HeddleError('cannot read: there is no such file', { area: path, kind: 'not-found' });
    return file.getFile();
  }

  async exists(path: string): Promise<boolean> {
    return (await this.file(path)) !== undefined || (await this.folder(parts(path))) !== undefined;
  }

  async list(path: string): Promise<string[]> {
    const folder = await this.folder(parts(path));
    if (!folder)
      throw new HeddleError('cannot list: there is no such folder', { area: path, kind: 'not-found' });
    const names: string[] = [];
    for await (const [name, handle] of folder.entries())
      if (
        !isOwn(name) &&
        (handle.kind === 'file' || (await generationOf(handle as FileSystemDirectoryHandle)))
      )
        names.push(name);
    return names.sort();
  }

  /** See BrowserFiles. */
  async facts(path: string): Promise<{ bytes: number; time: number }> {
    const folder = await this.folder(parts(path));
    let [bytes, time] = [0, 0];
    for await (const handle of folder?.values() ?? []) {
      if (handle.kind !== 'file') continue;
      const file = await (handle as FileSystemFileHandle).getFile();
      bytes += file.size;
      time = Math.max(time, file.lastModified);
    }
    return { bytes, time };
  }

  async rename(from: string, to: string): Promise<void> {
    const folder = await this.folder(parts(from));
    if (folder) {
      await this.#renameFolder(folder, to);
      return this.remove(from);
    }
    const file = await this.file(from);
    if (!file)
      throw new HeddleError(msg`cannot rename to ${to}: there is no such file or folder`, {
        area: from,
        kind: 'not-found',
      });
    await moveFile(file as StoredFile, ...(await this.parentOf(to)));
    if (!(file as StoredFile).move) await this.remove(from);
  }

  async #renameFolder(from: FileSystemDirectoryHandle, path: string): Promise<void> {
    if (await this.folder(parts(path)))
      throw new HeddleError('cannot rename: a folder is there', { area: path, kind: 'input' });
    const [parent, name] = await this.parentOf(path);
    await moveAll(from, await parent.getDirectoryHandle(name, { create: true }));
  }

  async remove(path: string): Promise<void> {
    const [folder, name] = split(path);
    const parent = await this.folder(folder);
    if (!parent || !name) return;
    // Remove `.current` first, so that a partly removed folder does not count as existing.
    const whole = await ifExists(parent.getDirectoryHandle(name));
    await ifExists(whole?.removeEntry(currentFile) ?? Promise.resolve());
    await ifExists(parent.removeEntry(name, { recursive: true }));
  }
}

/** Runs `work`; its errors become HeddleErrors that name action and path. */
async function attempt<T>(action: string, path: string, work: () => Promise<T>, retries = 0): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (retries > 0 && (isAbsent(error) || isReplaced(error)))
      return attempt(action, path, work, retries - 1);
    throw await storageError(action, path, error);
  }
}

/** Retries up to three times if a file is missing or replaced: another tab may be saving the same model. */
const withRetries = <T>(action: string, path: string, work: () => Promise<T>): Promise<T> =>
  attempt(action, path, work, 3);

/**
 * Files under a folder of OPFS; `root`: the result of navigator.storage.getDirectory(), or a folder in it.
 */
export function browserFiles(root: FileSystemDirectoryHandle): BrowserFiles {
  const stored = new StoredFolders(root);
  return {
    read: (path) =>
      withRetries('read', path, async () => new Uint8Array(await (await stored.open(path)).arrayBuffer())),
    blob: (path) => withRetries('read', path, () => stored.open(path)),
    write: (path, bytes) =>
      attempt('write', path, async () => {
        const [parent, name] = await stored.parentOf(path);
        await store(parent, name, [bytes]);
      }),
    writeParts: (path, content) =>
      attempt('write', path, async () => {
        const [parent, name] = await stored.parentOf(path);
        await store(parent, name, content);
      }),
    append: (path, bytes) =>
      attempt('append', path, async () => {
        const file = await stored.file(path);
        if (file) return appendTo(file, bytes as Uint8Array<ArrayBuffer>);
        const [parent, name] = await stored.parentOf(path);
        await store(parent, name, [bytes]);
      }),
    exists: (path) => withRetries('look at', path, () => stored.exists(path)),
    list: (path) => withRetries('list', path, () => stored.list(path)),
    facts: (path) => withRetries('look at', path, () => stored.facts(path)),
    rename: (from, to) => attempt(`rename to ${to}`, from, () => stored.rename(from, to)),
    remove: (path) => attempt('remove', path, () => stored.remove(path)),
    async free() {
      const { usage, quota } = (await globalThis.navigator?.storage?.estimate?.()) ?? {};
      return usage === undefined || quota === undefined ? undefined : quota - usage;
    },
  };
}

/** The files of this page, in a folder of its private file system. */
export async function openStorage(): Promise<BrowserFiles> {
  const { storage } = (globalThis as { navigator?: Navigator }).navigator ?? {};
  // A private window may have none: a SecurityError.
  const root = await storage?.getDirectory?.().catch(() => undefined);
  check(root, 'There is no private file system (OPFS) here; give registerHost other files', 'unsupported');
  return browserFiles(await root.getDirectoryHandle('heddle', { create: true }));
}
