// Files that live in memory alone: snapshots of a training, and what an archive holds.

import { HeddleError } from '../core/errors.ts';
import type { Files } from './files.ts';

/** Files in a map from path to bytes, which it changes; a folder is there while a file is in it. */
export function memoryFiles(kept: Map<string, Uint8Array> = new Map()): Files {
  const inside = (folder: string): [string, Uint8Array][] =>
    [...kept].filter(([path]) => path.startsWith(`${folder}/`));
  const removeAll = (path: string) => {
    kept.delete(path);
    for (const [inner] of inside(path)) kept.delete(inner);
  };
  return {
    async read(path) {
      const bytes = kept.get(path);
      if (!bytes) throw new HeddleError(`${path}: cannot read: there is no such file`);
      return bytes;
    },
    write: async (path, bytes) => void kept.set(path, bytes),
    exists: async (path) => kept.has(path) || inside(path).length > 0,
    async list(folder) {
      const names = new Set(inside(folder).map(([path]) => path.slice(folder.length + 1).split('/')[0] as string));
      if (names.size === 0) throw new HeddleError(`${folder}: cannot list: there is no such folder`);
      return [...names].sort();
    },
    async rename(from, to) {
      const moved = inside(from);
      const file = kept.get(from);
      if (!file && moved.length === 0)
        throw new HeddleError(`${from}: cannot rename to ${to}: there is no such file or folder`);
      removeAll(to);
      removeAll(from);
      if (file) kept.set(to, file);
      for (const [path, bytes] of moved) kept.set(to + path.slice(from.length), bytes);
    },
    remove: async (path) => removeAll(path),
  };
}

/**
 * Copies the files of a folder, without folders in it, from one place to another, as a whole: what stands at `to` is replaced once all
 * is written.
 */
export async function copyFolder(from: Files, folder: string, files: Files, to: string): Promise<void> {
  const beside = `${to}.partial`;
  await files.remove(beside);
  try {
    for (const name of await from.list(folder))
      await files.write(`${beside}/${name}`, await from.read(`${folder}/${name}`));
    await files.rename(beside, to);
  } catch (error) {
    await files.remove(beside).catch(() => undefined); // the first error is the one to tell
    throw error;
  }
}
