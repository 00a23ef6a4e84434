// Loads the code of archive-files.ts only when a path names an archive.

import type { Files } from './files.ts';

const inArchive = (path: string): boolean => /\.(?:zip|safetensors)[/\\]/i.test(path);
const namesArchive = (path: string): boolean => /\.(?:zip|safetensors)(?:[/\\]|$)/i.test(path);

/** Wraps `files` so that archives act as folders, like `archiveFiles`. */
export function lazyArchives(files: Files): Files {
  let opened: Promise<Files> | undefined;
  const archives = (): Promise<Files> => {
    opened ??= import('./archive-files.ts').then(({ archiveFiles }) => archiveFiles(files));
    return opened;
  };
  const filesFor = async (isArchive: boolean): Promise<Files> => (isArchive ? archives() : files);
  const { blob: _, ...others } = files;
  return {
    ...others,
    read: async (path) => (await filesFor(inArchive(path))).read(path),
    write: async (path, bytes) => (await filesFor(inArchive(path))).write(path, bytes),
    exists: async (path) => (await filesFor(inArchive(path))).exists(path),
    list: async (folder) => (await filesFor(namesArchive(folder))).list(folder),
    rename: async (from, to) => (await filesFor(namesArchive(from) || namesArchive(to))).rename(from, to),
    remove: async (path) => (await filesFor(namesArchive(path))).remove(path),
  };
}
