// Folders that heddle writes. A manifest lists the files that heddle wrote, with their checksums; every other
// file in the folder is the user's and is never changed.
//
// Replacing is all or nothing, as a write-ahead log: the new files are written to a hidden folder inside the
// folder, then a commit record, then each file is moved to its place. A process that is killed before the
// record is complete leaves the old files; after it, the next reader or writer finishes the moves.

import { HeddleError, renamedError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { checksumOfFile, type FileChecksum } from './checksums.ts';
import { concatBytes, type Files, namesIn, openBlob, withoutEndSlash } from './files.ts';
import {
  type FolderManifest,
  foreignIn,
  isFolder,
  isUnlisted,
  manifestIn,
  manifestOf,
  manifestWith,
  namesBeforeManifests,
  ownedBy,
  parseManifest,
  recordName,
} from './folder-manifest.ts';
import { jsonBytes, parseJson } from './json-files.ts';
import { cacheNames, isStaging, manifestName } from './model-file.ts';
import {
  type CommitRecord,
  finishReplacement,
  isCommitted,
  removeEmptyParents,
  removeStaging,
  settledFolder,
} from './settled-folder.ts';
import { verifyFolder } from './verified-files.ts';
import { unzip, zipParts } from './zip.ts';

/** How to write a folder. */
export interface WriteFolderOptions {
  /**
   * Whether to write beside the files of others in a folder that heddle did not write: for a folder that was
   * checked before a long run. Files of the same names are never replaced.
   */
  readonly beside?: boolean;
  /** Id of the training run that writes. */
  readonly run?: string;
  /** Whether to keep heddle's other files in the folder, with their run id. */
  readonly update?: boolean;
}

/** The path of a folder without trailing slashes and symbolic links. Throws a HeddleError if it is empty. */
async function folderAt(files: Files, given: string): Promise<string> {
  const path = withoutEndSlash(given);
  if (path.trim() === '')
    throw new HeddleError('The name of the folder is empty; name a folder.', { kind: 'input' });
  return (await files.real?.(path)) ?? path;
}

/**
 * Reads the manifest of a folder, or of a .zip file whose model is read like a folder; undefined if there is
 * none. Throws a HeddleError that names the file if it is damaged.
 */
export async function readManifest(files: Files, folder: string): Promise<FolderManifest | undefined> {
  return manifestIn(files, await settledFolder(files, folder));
}

/** Names of heddle's files in a folder; all files directly in a folder that heddle did not write. */
export async function ownFileNames(files: Files, folder: string): Promise<string[]> {
  const manifest = await readManifest(files, folder);
  if (manifest) return Object.keys(manifest.files);
  const names: string[] = [];
  for (const name of await files.list(folder))
    if (!isUnlisted(name) && !(await isFolder(files, `${folder}/${name}`))) names.push(name);
  return names;
}

/** The files and folders in a folder that heddle did not write. */
export async function foreignFiles(files: Files, folder: string): Promise<string[]> {
  const at = await folderAt(files, folder);
  if (!(await files.exists(at))) return [];
  const manifest = await ownedBy(files, await settledFolder(files, at));
  return foreignIn(files, at, Object.keys(manifest?.files ?? {}));
}

/** `main.ts, lib and 3 more`. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5);
  const more = names.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/**
 * Throws a HeddleError that names the files of others if heddle may not write files with the names `writes` to
 * a folder.
 */
export async function checkWritableFolder(
  files: Files,
  given: string,
  writes: readonly string[],
  { beside = false }: Pick<WriteFolderOptions, 'beside'> = {},
): Promise<void> {
  const folder = await folderAt(files, given);
  if (!(await files.exists(folder))) return;
  if (await isArchive(files, folder)) return checkArchive(files, folder, given);
  if (!(await isFolder(files, folder)))
    throw new HeddleError('it is a file, not a folder; name another folder', { area: given, kind: 'input' });
  await settledFolder(files, folder);
  const manifest = await ownedBy(files, folder);
  checkForeign(
    given,
    manifest,
    await foreignIn(files, folder, Object.keys(manifest?.files ?? {})),
    writes,
    beside,
  );
}

/** The error of a file that a command would replace though heddle did not write it. */
export const foreignFile = (path: string): HeddleError =>
  new HeddleError('heddle did not write this file, so it is not replaced; move it away', {
    area: path,
    kind: 'input',
  });

function checkForeign(
  folder: string,
  manifest: FolderManifest | undefined,
  foreign: readonly string[],
  writes: readonly string[],
  beside: boolean,
): void {
  const taken = foreign.filter((name) =>
    writes.some((own) => own === name || own.startsWith(`${name}/`) || name.startsWith(`${own}/`)),
  );
  if (foreign.length > 0 && !manifest && !beside)
    throw new HeddleError(
      msg`it contains something that is not heddle's (${listed(foreign)}); use another folder`,
      { area: folder, kind: 'input' },
    );
  if (taken.length > 0)
    throw new HeddleError(
      msg`heddle did not write ${listed(taken)}, so it is not replaced; move it away, or use another folder`,
      { area: folder, kind: 'input' },
    );
}

/** Whether a path is that of a .zip file, or of a new one: a folder with such a name stays a folder. */
async function isArchive(files: Files, path: string): Promise<boolean> {
  if (!/\.zip$/i.test(path)) return false;
  if (!(await files.exists(path)) || (await files.size?.(path)) !== undefined) return true;
  return files.read(path).then(
    () => true,
    () => false,
  );
}

/** Throws a HeddleError if a .zip file has entries that heddle did not write. */
async function checkArchive(files: Files, archive: string, given: string): Promise<void> {
  const names: string[] = []; // of damaged files, which are replaced
  const entries = await unzip(await openBlob(files, archive), archive, (name) => names.push(name)).catch(
    () => undefined,
  );
  names.push(...Object.keys(entries ?? {}));
  const config = entries?.['config.json'];
  const manifest = entries?.[manifestName];
  const own = manifest
    ? Object.keys(parseManifest(manifest, `${archive}/${manifestName}`).files)
    : config && isHeddleConfig(config, archive)
      ? namesBeforeManifests
      : undefined;
  const foreign = [...new Set(names)].filter((name) => name !== manifestName && !own?.includes(name));
  if (entries && foreign.length === 0) return;
  const reason = entries
    ? `it contains something that is not heddle's (${listed(foreign)})`
    : 'it is not a zip archive';
  throw new HeddleError(msg`${reason}, and a .zip file is replaced as a whole; use another name`, {
    area: given,
    kind: 'input',
  });
}

function isHeddleConfig(bytes: Uint8Array, archive: string): boolean {
  try {
    return String(parseJson(bytes, archive).format).startsWith('heddle');
  } catch {
    return false;
  }
}

/** Random hexadecimal digits: an even number. Pages that are not on https or localhost have no `randomUUID`. */
export const randomDigits = (count: number): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(count / 2)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');

/** The hidden folder of a new replacement. */
const newStaging = (folder: string): string => `${folder}/.heddle-${randomDigits(12)}`;

/**
 * Writes files, given by their paths in the folder, to a folder or a .zip file, all or nothing. Replaces the
 * files that heddle wrote there before and leaves all others.
 *
 * Throws a HeddleError that names the other files if heddle did not write the folder and `beside` is not set,
 * or if one of them has the name of a file to write.
 */
export async function writeFolder(
  files: Files,
  given: string,
  { [manifestName]: copied, ...parts }: Readonly<Record<string, Uint8Array>>,
  options: WriteFolderOptions = {},
): Promise<void> {
  const folder = await folderAt(files, given);
  // The parts of an archive may have the manifest of the folder that was packed: only its run is kept.
  const run = options.run ?? (copied && parseManifest(copied, `${given}/${manifestName}`).run);
  await checkWritableFolder(files, given, Object.keys(parts), options);
  if (await isArchive(files, folder)) {
    if (!(options.update && (await files.exists(folder)))) return writeArchive(files, folder, parts, run);
    const { [manifestName]: old, ...before } = await unzip(await openBlob(files, folder), folder);
    const runBefore = old && parseManifest(old, folder).run;
    return writeArchive(files, folder, { ...before, ...parts }, run ?? runBefore);
  }
  const existed = await files.exists(folder);
  const staging = newStaging(folder);
  try {
    await removeUnfinished(files, folder);
    for (const [name, bytes] of Object.entries(parts)) await files.write(`${staging}/files/${name}`, bytes);
    const before = existed ? await ownedBy(files, folder) : undefined;
    const kept = options.update ? before : undefined;
    const manifest = await manifestOf(parts, run ?? kept?.run, kept?.files);
    await files.write(`${staging}/files/${manifestName}`, jsonBytes(manifest));
    await commit(files, folder, staging, manifest, Object.keys(parts), before);
  } catch (error) {
    await abandon(files, folder, staging, existed).catch(() => undefined); // report the first error
    throw renamedError(error, `${staging}/files`, folder);
  }
}

/** Removes the files of a replacement that failed before its commit record was complete. */
async function abandon(files: Files, folder: string, staging: string, existed: boolean): Promise<void> {
  if (await isCommitted(files, staging)) return;
  await removeStaging(files, staging);
  if (!existed && (await namesIn(files, folder)).length === 0) await files.remove(folder);
}

/**
 * Moves the files of another folder, such as a finished download, into a folder, all or nothing, as
 * `writeFolder`. `source`: a folder with only these files, on the
 * same disk; it is removed.
 */
export async function moveIntoFolder(
  files: Files,
  source: string,
  given: string,
  options: WriteFolderOptions = {},
): Promise<void> {
  const folder = await folderAt(files, given);
  const names = (await files.list(source)).filter((name) => name !== manifestName);
  await checkWritableFolder(files, given, names, options);
  const before = (await files.exists(folder)) ? await ownedBy(files, folder) : undefined;
  const checksums: Record<string, FileChecksum> = {};
  for (const name of names) checksums[name] = await checksumOfFile(files, `${source}/${name}`);
  const manifest = manifestWith(options.run, checksums);
  await removeUnfinished(files, folder);
  const staging = newStaging(folder);
  for (const name of names) await files.rename(`${source}/${name}`, `${staging}/files/${name}`);
  await files.write(`${staging}/files/${manifestName}`, jsonBytes(manifest));
  await commit(files, folder, staging, manifest, names, before);
  await files.remove(source);
}

/** Writes the commit record of a replacement whose new files are complete, and finishes it. */
async function commit(
  files: Files,
  folder: string,
  staging: string,
  manifest: FolderManifest,
  moves: readonly string[],
  before: FolderManifest | undefined,
): Promise<void> {
  for (const name of moves)
    if (!(await files.exists(`${staging}/files/${name}`)))
      throw new HeddleError('another process is writing this folder; try again', {
        area: folder,
        kind: 'input',
      });
  const removes = Object.entries(before?.files ?? {}).filter(([name]) => !(name in manifest.files));
  const record: CommitRecord = {
    version: 1,
    moves: [...moves, manifestName],
    removes: Object.fromEntries(removes),
  };
  await files.write(`${staging}/${recordName}`, jsonBytes(record));
  await finishReplacement(files, folder, staging);
}

/** Removes the files of replacements that were interrupted before they were complete. */
async function removeUnfinished(files: Files, folder: string): Promise<void> {
  for (const name of (await namesIn(files, folder)).filter(isStaging))
    await removeStaging(files, `${folder}/${name}`);
}

async function writeArchive(
  files: Files,
  archive: string,
  parts: Readonly<Record<string, Uint8Array>>,
  run: string | undefined,
): Promise<void> {
  const manifest = await manifestOf(parts, run);
  await files.write(archive, concatBytes(await zipParts({ ...parts, [manifestName]: jsonBytes(manifest) })));
}

/**
 * Removes the files that heddle wrote in a folder, and the folder if it is empty then. Returns the names of the
 * files of others, which stay. A .zip file that heddle wrote is removed.
 */
export async function removeOwnFolder(files: Files, given: string): Promise<string[]> {
  const folder = await folderAt(files, given);
  if (!(await files.exists(folder))) return [];
  if (await isArchive(files, folder)) {
    await checkArchive(files, folder, given);
    await files.remove(folder);
    return [];
  }
  await settledFolder(files, folder);
  await removeUnfinished(files, folder);
  for (const name of Object.keys((await ownedBy(files, folder))?.files ?? {})) {
    await files.remove(`${folder}/${name}`);
    await removeEmptyParents(files, folder, name);
  }
  await files.remove(`${folder}/${manifestName}`);
  for (const name of cacheNames)
    if (await files.exists(`${folder}/${name}`)) await files.remove(`${folder}/${name}`);
  const left = await namesIn(files, folder);
  if (left.length === 0) await files.remove(folder);
  return left;
}

/**
 * Copies heddle's files of a folder, or all files directly in it if it has no manifest, to another folder. Throws a
 * HeddleError that names a file that changed after it was written: the copy would have its new checksum.
 */
export async function copyFolder(from: Files, folder: string, files: Files, to: string): Promise<void> {
  await verifyFolder(from, folder);
  const parts: Record<string, Uint8Array> = {};
  for (const name of await ownFileNames(from, folder)) parts[name] = await from.read(`${folder}/${name}`);
  const run = (await readManifest(from, folder))?.run;
  await writeFolder(files, to, parts, { run, beside: true });
}
