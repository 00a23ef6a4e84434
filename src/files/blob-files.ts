// Files that a page was given, as a folder: what a visitor drops or selects.

import { check, HeddleError } from '../core/errors.ts';
import type { Files } from './files.ts';

/**
 * A folder with these files, which are read when they are needed; it is read-only. Throws a HeddleError if two
 * files have the same name.
 */
export function blobFiles(folder: string, given: readonly File[]): Files {
  const byPath = new Map<string, File>();
  for (const file of given) {
    const path = `${folder}/${file.name}`;
    check(
      !byPath.has(path),
      `two of the files are named ${file.name}; give the files of one folder`,
      'input',
    );
    byPath.set(path, file);
  }
  const find = (path: string): File => {
    const file = byPath.get(path);
    if (!file) throw new HeddleError(`${path}: it is not among the files`, { kind: 'not-found' });
    return file;
  };
  const readOnly = async () => check(false, 'files that a page was given are read-only', 'input');
  return {
    read: async (path) => new Uint8Array(await find(path).arrayBuffer()),
    blob: async (path) => find(path),
    size: async (path) => find(path).size,
    exists: async (path) => path === folder || byPath.has(path),
    list: async () => given.map(({ name }) => name).sort(),
    write: readOnly,
    rename: readOnly,
    remove: readOnly,
  };
}
