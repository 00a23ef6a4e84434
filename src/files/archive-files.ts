// Archives as folders: a path into a .zip archive reads and writes a file in it, and a path into a .safetensors file
// reads the model in its metadata. Code that reads or writes model folders needs no special case for archives.

import { HeddleError } from '../core/errors.ts';
import { concatBytes, type Files } from './files.ts';
import { memoryFiles } from './memory-files.ts';
import { unpackSafetensorsModel } from './model-file.ts';

/**
 * Splits `folder/model.zip/config.json` into archive and name; undefined if no folder in the path is named like an
 * archive.
 */
function inArchive(path: string): [string, string] | undefined {
  const match = /^(.*?\.(?:zip|safetensors))[/\\]+(.+)$/i.exec(path);
  return match ? [match[1] as string, match[2] as string] : undefined;
}
const isZip = (path: string): boolean => /\.zip$/i.test(path);
const isArchive = (path: string): boolean => /\.(?:zip|safetensors)$/i.test(path);

/** Zips the files of a folder and its subfolders; returns the archive in consecutive chunks. */
export async function packFolder(files: Files, folder: string): Promise<Uint8Array[]> {
  const parts: Record<string, Uint8Array> = {};
  const add = async (inside: string): Promise<void> => {
    for (const name of await files.list(folder + inside)) {
      const path = `${inside}/${name}`;
      const isFolder = await files.list(folder + path).then(
        () => true,
        () => false,
      );
      if (isFolder) await add(path);
      else parts[path.slice(1)] = await files.read(folder + path);
    }
  };
  await add('');
  return (await import('./zip.ts')).zipParts(parts);
}

/**
 * The files of a zipped model by name, without the top folder that many tools add. Throws a HeddleError if it has no
 * config.json.
 */
export async function unzipModel(bytes: Uint8Array, archive: string): Promise<Record<string, Uint8Array>> {
  const files = await (await import('./zip.ts')).unzip(bytes, archive);
  const config = Object.keys(files).find((name) => /^(?:[^/]+\/)?config\.json$/.test(name));
  if (!config) throw new HeddleError(`${archive}: it is not a model: the archive has no config.json`);
  const prefix = config.slice(0, -'config.json'.length);
  return Object.fromEntries(
    Object.entries(files).flatMap(([name, data]) => {
      const inside = name.startsWith(prefix) ? name.slice(prefix.length) : '';
      return inside && !inside.includes('/') ? [[inside, data]] : [];
    }),
  );
}

/** The files of a model in one file: a zip archive, recognized by its first bytes, or a safetensors file. */
export async function unpackModelFile(bytes: Uint8Array, name: string): Promise<Record<string, Uint8Array>> {
  const isZipped = bytes[0] === 0x50 && bytes[1] === 0x4b; // "PK"
  return isZipped || !/\.safetensors$/i.test(name) ? unzipModel(bytes, name) : unpackSafetensorsModel(bytes, name);
}

/** Wraps `files` so that archives act as folders. An archive is read once and cached until it is written. */
export function archiveFiles(files: Files): Files {
  const opened = new Map<string, Promise<Files>>();
  const open = (archive: string): Promise<Files> => {
    let contents = opened.get(archive);
    if (!contents) {
      contents = files
        .read(archive)
        .then((bytes) => unpackModelFile(bytes, archive))
        .then((parts) => memoryFiles(new Map(Object.entries(parts).map(([name, data]) => [`/${name}`, data]))));
      opened.set(archive, contents);
      contents.catch(() => opened.delete(archive));
    }
    return contents;
  };
  /** Archive and name if the path leads into an archive file; a folder with such a name stays a folder. */
  const at = async (path: string): Promise<[string, string] | undefined> => {
    const place = inArchive(path);
    return place && (await isFile(place[0])) ? place : undefined;
  };
  const isFile = async (path: string): Promise<boolean> =>
    opened.has(path) ||
    ((await files.exists(path)) &&
      (await files.list(path).then(
        () => false,
        () => true,
      )));
  const write = async (archive: string, parts: readonly Uint8Array[]) => {
    opened.delete(archive);
    await files.write(archive, concatBytes(parts));
  };
  const { blob: _, ...others } = files;
  return {
    ...others,
    async read(path) {
      const place = await at(path);
      return place ? (await open(place[0])).read(`/${place[1]}`) : files.read(path);
    },
    async write(path, bytes) {
      const place = await at(path);
      if (!place) return files.write(path, bytes);
      if (!isZip(place[0]))
        throw new HeddleError(
          `${path}: cannot write: ${place[0]} is a safetensors file, which is read-only; use a folder or a .zip`,
        );
      const inside = await open(place[0]);
      await inside.write(`/${place[1]}`, bytes);
      await write(place[0], await packFolder(inside, ''));
    },
    async exists(path) {
      const place = await at(path);
      return place ? (await open(place[0])).exists(`/${place[1]}`) : files.exists(path);
    },
    list: async (folder) =>
      isArchive(folder) && (await isFile(folder)) ? (await open(folder)).list('') : files.list(folder),
    async rename(from, to) {
      const isFolder = !isArchive(from) && !(await isFile(from));
      if (!isZip(to) || !isFolder || ((await files.exists(to)) && !(await isFile(to)))) return files.rename(from, to);
      await write(to, await packFolder(files, from));
      await files.remove(from);
    },
    async remove(path) {
      opened.delete(path);
      await files.remove(path);
    },
  };
}
