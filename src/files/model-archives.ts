// A model folder as one file: a .zip archive, or a .safetensors file with the other files in its metadata.

import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { type Files, openBlob } from './files.ts';
import { parseManifest } from './folder-manifest.ts';
import { maxBytesOf } from './json-files.ts';
import { memoryFiles } from './memory-files.ts';
import { manifestName, modelFileNames } from './model-file.ts';
import { ownFileNames } from './owned-folder.ts';
import { safetensorsHeaderOf } from './safetensors.ts';
import { embeddedNames } from './safetensors-model.ts';
import { type Archive, bytesIn, partOf, unzip, zipParts } from './zip.ts';

/** Zips heddle's files in a folder; returns the archive in consecutive chunks. */
export async function packFolder(files: Files, folder: string): Promise<Uint8Array[]> {
  const parts: Record<string, Uint8Array> = {};
  for (const name of await ownFileNames(files, folder)) parts[name] = await files.read(`${folder}/${name}`);
  const manifest = `${folder}/${manifestName}`;
  if (await files.exists(manifest)) parts[manifestName] = await files.read(manifest);
  return zipParts(parts);
}

/**
 * Files by which the folder of a model is recognized, the surest first: config.json of heddle and Hugging Face,
 * decoder.yml of Marian, the model file of Firefox, adapter_config.json of a LoRA adapter.
 */
const markers = [
  /^config\.json$/,
  /^decoder\.yml$/,
  /^model[^/]*\.(?:npz|bin)(?:\.gz)?$/,
  /^adapter_config\.json$/,
];

/**
 * A model as one safetensors file in an archive of another format: heddle reads it, and not the format around it, such as
 * the graphs for transformers.js.
 */
export const ownModelName = 'heddle.safetensors';

/** The folder of the model in an archive, with a slash at its end: '', or a top folder that many tools add. */
function modelFolderIn(names: readonly string[]): string | undefined {
  const split = names.map((name) => /^([^/]+\/)?([^/]+)$/.exec(name)?.slice(1) ?? ['', '']);
  for (const marker of markers)
    for (const [folder = '', name = ''] of split) if (marker.test(name)) return folder;
  return undefined;
}

/**
 * The files of a zipped model by name, without the top folder that many tools add. Throws a HeddleError if it
 * has no config.json and no files of Marian, or a file is damaged that is not in heddle's manifest: one that is will be
 * compared with the checksum there if it is read, as in a folder.
 */
export async function unzipModel(bytes: Archive, archive: string): Promise<Record<string, Uint8Array>> {
  const damaged: string[] = [];
  const files = await unzip(bytes, archive, (name) => damaged.push(name), maxBytesOf);
  const own = Object.keys(files).find((name) => name.replace(/^[^/]+\//, '') === ownModelName);
  if (own !== undefined) return unpackSafetensorsModel(files[own] as Uint8Array, `${archive}/${own}`);
  const prefix = modelFolderIn([...Object.keys(files), ...damaged]);
  if (prefix === undefined)
    throw new HeddleError('no model: it has no config.json and no model file of Marian', {
      area: archive,
      kind: 'input',
    });
  const path = prefix + manifestName;
  const { [path]: manifest } = damaged.includes(path) ? {} : files;
  const listed = manifest && damaged.length > 0 ? parseManifest(manifest, `${archive}/${path}`).files : {};
  const other = damaged.find(
    (name) => !name.startsWith(prefix) || !Object.hasOwn(listed, name.slice(prefix.length)),
  );
  if (other !== undefined)
    throw new HeddleError(msg`${other} is damaged: its checksum differs`, { area: archive, kind: 'input' });
  return Object.fromEntries(
    Object.entries(files).flatMap(([name, data]) => {
      const inside = name.startsWith(prefix) ? name.slice(prefix.length) : '';
      return inside && !inside.includes('/') ? [[inside, data]] : [];
    }),
  );
}

/**
 * The files of a model folder from one safetensors file. Throws a HeddleError if the file has only weights.
 */
async function unpackSafetensorsModel(file: Archive, path: string): Promise<Record<string, Uint8Array>> {
  const { metadata } = await safetensorsHeaderOf(file, path);
  if (metadata[modelFileNames.config] === undefined)
    throw new HeddleError(
      msg`it has only weights; its metadata lacks ${modelFileNames.config} and the tokenizers. Use the model's folder, or a .zip of it`,
      { area: path, kind: 'input' },
    );
  const texts = embeddedNames.flatMap((name) => {
    const text = metadata[name];
    return text === undefined ? [] : [[name, new TextEncoder().encode(text)]];
  });
  const bytes = await partOf(file, 0, bytesIn(file));
  return { ...Object.fromEntries(texts), [modelFileNames.weights]: bytes };
}

/**
 * The files of a model in one file: a zip archive or a safetensors file, recognized by their first bytes. Others are
 * what their name says.
 */
export async function unpackModelFile(file: Archive, name: string): Promise<Record<string, Uint8Array>> {
  const start = await partOf(file, 0, 9);
  const isZipped = start[0] === 0x50 && start[1] === 0x4b; // "PK"
  const hasHeader = start[8] === 0x7b; // "{", after the length of the header
  return isZipped || !(hasHeader || /\.safetensors$/i.test(name))
    ? unzipModel(file, name)
    : unpackSafetensorsModel(file, name);
}

/** The files of an archive, as `/NAME`. */
export async function openArchive(files: Files, archive: string): Promise<Files> {
  const parts = await unpackModelFile(await openBlob(files, archive), archive);
  return memoryFiles(new Map(Object.entries(parts).map(([name, data]) => [`/${name}`, data])));
}

/** The error of a write to a path in an archive. */
export const inArchive = (path: string, archive: string): HeddleError =>
  new HeddleError(msg`cannot write: ${archive} is an archive, which is replaced as a whole; use a folder`, {
    area: path,
    kind: 'input',
  });
