// Files that a page was given, as a folder: what a visitor drops or selects.

import { check, errorKind, HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import type { Files } from './files.ts';

/**
 * A file that a page was given. Throws a HeddleError that names it if it is none, was changed or removed since then, or
 * is a folder, which pages get as a file too: the browser does not read it, and does not say why.
 */
export async function readable<T extends Blob>(file: T, path: string): Promise<T> {
  check(file instanceof Blob, 'give a path, a File or a Blob', { kind: 'input', area: path });
  // A file that is gone may have no bytes, and no bytes can always be read of it.
  await (file.size > 0 ? file.slice(0, 1) : file).arrayBuffer().catch((cause: unknown) => {
    throw new HeddleError(
      'the file cannot be read; it was changed or removed after it was chosen, or is a folder; choose it again',
      { kind: errorKind(cause), area: path, cause },
    );
  });
  return file;
}

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
      msg`two of the files are named ${file.name}; give the files of one folder`,
      'input',
    );
    byPath.set(path, file);
  }
  const find = async (path: string): Promise<File> => {
    const file = byPath.get(path);
    if (!file) throw new HeddleError('it is not among the files', { area: path, kind: 'not-found' });
    return readable(file, path);
  };
  const readOnly = async () => check(false, 'files that a page was given are read-only', 'input');
  return {
    read: async (path) => new Uint8Array(await (await find(path)).arrayBuffer()),
    blob: find,
    size: async (path) => (await find(path)).size,
    exists: async (path) => path === folder || byPath.has(path),
    list: async () => given.map(({ name }) => name).sort(),
    write: readOnly,
    rename: readOnly,
    remove: readOnly,
  };
}
