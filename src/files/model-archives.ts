// A model folder as one file: a .zip archive, or a .safetensors file with the other files in its metadata.

import { HeddleError } from '../core/errors.ts';
import type { Files } from './files.ts';
import { memoryFiles } from './memory-files.ts';
import { manifestName } from './model-file.ts';
import { ownFileNames } from './owned-folder.ts';
import { unpackSafetensorsModel } from './safetensors-model.ts';
import { unzip, zipParts } from './zip.ts';

/** Zips heddle's files in a folder; returns the archive in consecutive chunks. */
export async function packFolder(files: Files, folder: string): Promise<Uint8Array[]> {
  const parts: Record<string, Uint8Array> = {};
  for (const name of await ownFileNames(files, folder)) parts[name] = await files.read(`${folder}/${name}`);
  const manifest = `${folder}/${manifestName}`;
  if (await files.exists(manifest)) parts[manifestName] = await files.read(manifest);
  return zipParts(parts);
}

/**
 * The files of a zipped model by name, without the top folder that many tools add. Throws a HeddleError if it
 * has no config.json.
 */
export async function unzipModel(bytes: Uint8Array, archive: string): Promise<Record<string, Uint8Array>> {
  const files = await unzip(bytes, archive);
  const config = Object.keys(files).find((name) => /^(?:[^/]+\/)?config\.json$/.test(name));
  if (!config)
    throw new HeddleError(`${archive}: it is not a model: the archive has no config.json`, { kind: 'input' });
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
  return isZipped || !/\.safetensors$/i.test(name)
    ? unzipModel(bytes, name)
    : unpackSafetensorsModel(bytes, name);
}

/** The files of an archive, as `/NAME`. */
export async function openArchive(files: Files, archive: string): Promise<Files> {
  const parts = await unpackModelFile(await files.read(archive), archive);
  return memoryFiles(new Map(Object.entries(parts).map(([name, data]) => [`/${name}`, data])));
}
