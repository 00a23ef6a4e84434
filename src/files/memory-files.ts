// Files in memory: snapshots of a training run, unpacked archives, tests.

import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import type { Files } from './files.ts';

/**
 * Files in a map from path to bytes. A folder exists if the map has a file in it. `entries` is read and
 * modified in place.
 *
 * @example
 * const files = memoryFiles();
 * await files.write('model/config.json', new TextEncoder().encode('{}'));
 * await files.list('model'); // ['config.json']
 */
export function memoryFiles(entries: Map<string, Uint8Array> = new Map()): Files {
  /** What the paths of the files in a folder begin with. */
  const within = (folder: string) => (folder === '.' ? '' : `${folder.replace(/\/$/, '')}/`);
  const inside = (folder: string): [string, Uint8Array][] =>
    [...entries].filter(([path]) => path.startsWith(within(folder)));
  const removeAll = (path: string) => {
    entries.delete(path);
    for (const [inner] of inside(path)) entries.delete(inner);
  };
  return {
    async read(path) {
      const bytes = entries.get(path);
      if (!bytes)
        throw new HeddleError('cannot read: there is no such file', { area: path, kind: 'not-found' });
      return bytes;
    },
    write: async (path, bytes) => void entries.set(path, bytes),
    exists: async (path) => entries.has(path) || inside(path).length > 0,
    async list(folder) {
      const names = new Set(
        inside(folder).map(([path]) => path.slice(within(folder).length).split('/')[0] as string),
      );
      if (names.size === 0)
        throw new HeddleError('cannot list: there is no such folder', { area: folder, kind: 'not-found' });
      return [...names].sort();
    },
    async rename(from, to) {
      const moved = inside(from);
      const file = entries.get(from);
      if (!file && moved.length === 0)
        throw new HeddleError(msg`cannot rename to ${to}: there is no such file or folder`, {
          area: from,
          kind: 'not-found',
        });
      if (inside(to).length > 0)
        throw new HeddleError(msg`cannot rename ${from}: a folder is there`, { area: to, kind: 'input' });
      removeAll(from);
      if (file) entries.set(to, file);
      for (const [path, bytes] of moved) entries.set(to + path.slice(from.length), bytes);
    },
    remove: async (path) => removeAll(path),
  };
}
