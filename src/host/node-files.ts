// Files on disk, for jobs that run in Node and for the file server.
import { openAsBlob, rmSync, writeFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type Files, isTemporary } from '../files/files.ts';
import { type Disk, diskFiles, makeFolderOf } from './disk-files.ts';
import { lockFolder } from './folder-lock.ts';
import { sha256InThread } from './hash-thread.ts';

/** Bytes that `readInParts` reads at a time. */
const partBytes = 2 ** 21;

/** Reads a file, and gives each part to `onPart` while the next one is read. */
async function readInParts(path: string, onPart: (part: Uint8Array) => void): Promise<Uint8Array> {
  const file = await fs.open(path);
  try {
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow((await file.stat()).size).buffer);
    let [at, given] = [0, 0];
    for (let isMore = true; isMore; ) {
      const reading = file.read(bytes, at, Math.min(partBytes, bytes.length - at));
      const end = at - (at % 16);
      if (end > given) onPart(bytes.subarray(given, end));
      given = end;
      const { bytesRead } = await reading;
      at += bytesRead;
      isMore = bytesRead > 0;
    }
    onPart(bytes.subarray(given, at));
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}

/** Temporary files that exist now. The end of the process removes them, at whatever moment it comes. */
const temporaries = new Set<string>();
process.on('exit', () => {
  for (const path of temporaries) rmSync(path, { force: true });
});

/** Writes a temporary file. It is created at once: nothing can create it after the process has begun to end. */
async function writeTemporary(path: string, bytes: Uint8Array): Promise<void> {
  temporaries.add(path);
  writeFileSync(path, '');
  await fs.writeFile(path, bytes, { flag: 'r+' });
}

const nodeDisk: Disk = {
  async read(path, onPart) {
    if (onPart) return readInParts(path, onPart);
    // readFile has a limit of 2 GiB.
    if ((await fs.stat(path)).size >= 2 ** 31)
      return new Uint8Array(await (await openAsBlob(path)).arrayBuffer());
    const { buffer, byteOffset, byteLength } = await fs.readFile(path);
    return new Uint8Array(buffer, byteOffset, byteLength);
  },
  async stream(path) {
    if (path === '-') return Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>;
    const file = await fs.open(path);
    if ((await file.stat()).isDirectory()) {
      await file.close();
      throw Object.assign(new Error(), { code: 'EISDIR' });
    }
    return Readable.toWeb(file.createReadStream({ highWaterMark: 2 ** 18 })) as ReadableStream<Uint8Array>;
  },
  blob: (path) => openAsBlob(path),
  write: (path, bytes) => (isTemporary(path) ? writeTemporary(path, bytes) : fs.writeFile(path, bytes)),
  append: (path, bytes) => fs.appendFile(path, bytes),
  async stat(path) {
    const stats = await fs.stat(path);
    return { isFile: stats.isFile(), isFolder: stats.isDirectory(), size: stats.size };
  },
  list: (folder) => fs.readdir(folder),
  makeFolder: (path) => fs.mkdir(path),
  readLink: (path) => fs.readlink(path),
  realPath: (path) => fs.realpath(path),
  async rename(from, to) {
    await fs.rename(from, to);
    temporaries.delete(from);
  },
  async free(path) {
    const { bavail, bsize } = await fs.statfs(path);
    return bavail * bsize;
  },
  async remove(path) {
    await fs.rm(path, { recursive: true, force: true });
    temporaries.delete(path);
  },
};

/**
 * Files on disk. Relative paths start at the working directory. A write is atomic: the file is complete or
 * does not exist.
 *
 * @example
 * const bytes = await nodeFiles().read('model/config.json');
 */
export function nodeFiles(): Files {
  const files = diskFiles(nodeDisk);
  return {
    ...files,
    sha256: sha256InThread,
    async lock(folder) {
      await makeFolderOf(nodeDisk, folder).catch(() => undefined); // the first save reports it
      return lockFolder(folder);
    },
  };
}

/**
 * Path of `name` in heddle's cache folder: HEDDLE_CACHE, or the cache folder of this user. Files there can be
 * deleted at any time.
 */
export function cachePath(name: string): string {
  const { HEDDLE_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (HEDDLE_CACHE) return join(HEDDLE_CACHE, name);
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'heddle', name);
  if (process.platform === 'win32' && LOCALAPPDATA) return join(LOCALAPPDATA, 'heddle', name);
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'heddle', name);
}
