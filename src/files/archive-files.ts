// Archives as folders: a path into a .zip archive reads a file in it, and a path into a .safetensors file reads
// the model in its metadata, so that code that reads model folders needs no special case for archives.
// `writeFolder` writes an archive as a whole.

import { type Files, openBlob } from './files.ts';
import { inArchive, openArchive } from './model-archives.ts';

const isArchive = (path: string): boolean => /\.(?:zip|safetensors)$/i.test(path);

/** Wraps `files` so that archives act as folders. An archive is read once and cached until it is written. */
export function archiveFiles(files: Files): Files {
  const opened = new Map<string, Promise<Files>>();
  const open = (archive: string): Promise<Files> => {
    const contents = opened.get(archive) ?? openArchive(files, archive);
    opened.set(archive, contents);
    contents.catch(() => opened.delete(archive));
    return contents;
  };
  const isFile = async (path: string): Promise<boolean> =>
    opened.has(path) ||
    ((await files.exists(path)) &&
      (await files.list(path).then(
        () => false,
        () => true,
      )));
  /**
   * Resolves a path: the `Files` that contain it, its path there, and the archive if the path is inside one.
   * A folder with the name of an archive stays a folder.
   */
  const at = async (path: string): Promise<[files: Files, name: string, archive?: string]> => {
    const [, archive, name] = /^(.*?\.(?:zip|safetensors))[/\\]+(.+)$/is.exec(path) ?? [];
    return archive && (await isFile(archive)) ? [await open(archive), `/${name}`, archive] : [files, path];
  };
  return {
    ...files,
    async read(path, onPart) {
      const [inside, name] = await at(path);
      return inside.read(name, onPart);
    },
    async blob(path) {
      const [inside, name] = await at(path);
      return openBlob(inside, name);
    },
    async write(path, bytes) {
      const [, , archive] = await at(path);
      if (archive) throw inArchive(path, archive);
      opened.delete(path);
      await files.write(path, bytes);
    },
    async exists(path) {
      const [inside, name] = await at(path);
      return inside.exists(name);
    },
    list: async (folder) =>
      isArchive(folder) && (await isFile(folder)) ? (await open(folder)).list('') : files.list(folder),
    async rename(from, to) {
      opened.delete(from);
      opened.delete(to);
      await files.rename(from, to);
    },
    async remove(path) {
      opened.delete(path);
      await files.remove(path);
    },
  };
}
