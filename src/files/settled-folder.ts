// A folder whose replacement is finished. After the commit record of a replacement is complete, each new file is moved
// to its place. The next reader or writer does that if a process was killed meanwhile; it may be interrupted and repeated.

import { HeddleError } from '../core/errors.ts';
import { type FileChecksum, fileHasChecksum } from './checksums.ts';
import { type Files, namesIn, readText, withoutEndSlash } from './files.ts';
import { checkName, recordName } from './folder-manifest.ts';
import { isObject, readJson } from './json-files.ts';
import { isStaging, manifestName } from './model-file.ts';

/**
 * Finishes the replacement of a folder if a process was killed meanwhile, and returns the path of the folder
 * without slashes at its end. Call it before reading a folder that heddle wrote.
 */
export async function settledFolder(files: Files, folder: string): Promise<string> {
  const names = await namesIn(files, folder).catch(() => []); // a file, or files without listing
  for (const name of names.filter(isStaging)) {
    const staging = `${folder}/${name}`;
    if (await isCommitted(files, staging)) await finishReplacement(files, folder, staging);
  }
  return withoutEndSlash(folder);
}

/** How often a folder is read again. */
const maxReads = 4;

/**
 * Reads a folder of heddle by `read`, which gets its path, and the text of its manifest or ''. Reads again if another
 * process replaced the folder meanwhile, for example a training that saved a checkpoint.
 */
export async function readSettled<T>(
  files: Files,
  folder: string,
  read: (at: string, manifest: string) => Promise<T>,
): Promise<T> {
  for (let n = 1; ; n++) {
    const at = await settledFolder(files, folder);
    const before = await manifestText(files, at);
    const isReplaced = async () => n < maxReads && (await manifestText(files, at)) !== before;
    try {
      const result = await read(at, before);
      if (!(await isReplaced())) return result;
    } catch (error) {
      if (!(await isReplaced())) throw error;
    }
  }
}

const manifestText = async (files: Files, folder: string): Promise<string> => {
  const path = `${folder}/${manifestName}`;
  return (await files.exists(path)) ? readText(files, path) : '';
};

/** A replacement that is complete except for its moves. */
export interface CommitRecord {
  readonly version: 1;
  /** Names of the new files, which are in `files/` beside the record. */
  readonly moves: readonly string[];
  /** heddle's files that the new version does not have. */
  readonly removes: Readonly<Record<string, FileChecksum>>;
}

/**
 * Whether the commit record of a replacement is complete. Browsers that cannot move files create a new file empty
 * and then replace its contents.
 */
export async function isCommitted(files: Files, staging: string): Promise<boolean> {
  const path = `${staging}/${recordName}`;
  return (await files.exists(path)) && (await files.read(path)).length > 0;
}

/** Moves the new files of a replacement to their places. May be interrupted and repeated. */
export async function finishReplacement(files: Files, folder: string, staging: string): Promise<void> {
  const path = `${staging}/${recordName}`;
  const record = (await readJson(files, path)) as unknown as CommitRecord;
  const { version, moves, removes } = record;
  if (version !== 1 || !Array.isArray(moves) || !isObject(removes))
    throw new HeddleError('not a commit record of version 1; the file is damaged, or heddle is too old', {
      area: path,
      kind: 'input',
    });
  for (const name of [...moves, ...Object.keys(removes)]) checkName(name, path);
  const source = `${staging}/files`;
  for (const name of moves) {
    const from = `${source}/${name}`;
    if (!(await files.exists(from))) continue; // moved before
    try {
      await files.rename(from, `${folder}/${name}`);
    } catch (error) {
      if (await files.exists(from)) throw error; // else another process moved it
    }
  }
  for (const [name, checksum] of Object.entries(removes)) {
    const old = `${folder}/${name}`;
    // A file that the user has put there meanwhile stays.
    if ((await files.exists(old)) && (await fileHasChecksum(files, old, checksum))) {
      await files.remove(old);
      await removeEmptyParents(files, folder, name);
    }
  }
  await removeStaging(files, staging);
}

/** Removes the files of a replacement; the record first, since the others are read by it. */
export async function removeStaging(files: Files, staging: string): Promise<void> {
  for (const path of [`${staging}/${recordName}`, staging]) await files.remove(path);
}

/** Removes the folders of a removed file that are empty now. */
export async function removeEmptyParents(files: Files, folder: string, name: string): Promise<void> {
  for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
    const parent = `${folder}/${name.slice(0, at)}`;
    const left = await namesIn(files, parent).catch(() => ['']); // unknown: files of the user may be there
    if (left.length > 0) return;
    await files.remove(parent);
  }
}
