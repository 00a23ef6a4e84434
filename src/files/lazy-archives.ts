// Archives as folders (archive-files.ts), with code that is loaded when a path names one.

import type { Files } from './files.ts';

const inArchive = (path: string): boolean => /\.(?:zip|safetensors)[/\\]/i.test(path);
const namesArchive = (path: string): boolean => /\.(?:zip|safetensors)(?:[/\\]|$)/i.test(path);

/** Wraps `files` so that archives act as folders, as `archiveFiles` does. */
export function lazyArchives(files: Files): Files {
  let opened: Promise<Files> | undefined;
  const archives = (): Promise<Files> => {
    opened ??= import('./archive-files.ts').then(({ archiveFiles }) => archiveFiles(files));
    return opened;
  };
  const filesFor = async (isOne: boolean): Promise<Files> => (isOne ? archives() : files);
  return {
    ...(files.stream && { stream: files.stream }),
    ...(files.append && { append: files.append }),
    ...(files.size && { size: files.size }),
    ...(files.real && { real: files.real }),
    ...(files.lock && { lock: files.lock }),
    read: async (path) => (await filesFor(inArchive(path))).read(path),
    write: async (path, bytes) => (await filesFor(inArchive(path))).write(path, bytes),
    exists: async (path) => (await filesFor(inArchive(path))).exists(path),
    list: async (folder) => (await filesFor(namesArchive(folder))).list(folder),
    rename: async (from, to) => (await filesFor(namesArchive(from) || namesArchive(to))).rename(from, to),
    remove: async (path) => (await filesFor(namesArchive(path))).remove(path),
  };
}
