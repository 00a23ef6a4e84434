// The end of a replacement of a folder: after its commit record is complete, each new file is moved to its place.
// It may be interrupted and repeated. And the comparison of a folder with its manifest.

import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { type FileChecksum, fileHasChecksum } from './checksums.ts';
import type { Files } from './files.ts';
import { checkName, manifestIn, namesIn, recordName } from './folder-manifest.ts';
import { isObject, readJson } from './json-files.ts';
import { isStaging, manifestName } from './model-file.ts';

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

/** Finishes the replacements of a folder whose commit records are complete. */
export async function finishReplacements(files: Files, folder: string): Promise<void> {
  for (const name of (await files.list(folder)).filter(isStaging))
    if (await isCommitted(files, `${folder}/${name}`))
      await finishReplacement(files, folder, `${folder}/${name}`);
}

/**
 * Compares files of a folder with the checksums of its manifest; all of them if `isChecked` is not given. Throws a
 * HeddleError that names the first file that differs or is missing. Does nothing without a manifest.
 */
export async function verifyFolder(
  files: Files,
  folder: string,
  isChecked: (name: string, checksum: FileChecksum) => boolean = () => true,
): Promise<void> {
  const manifest = await manifestIn(files, folder);
  for (const [name, checksum] of Object.entries(manifest?.files ?? {})) {
    if (!isChecked(name, checksum)) continue;
    const path = `${folder}/${name}`;
    if (!(await files.exists(path))) throw missingFile(path);
    if (!(await fileHasChecksum(files, path, checksum))) throw changedFile(path);
  }
}

/** The error of a file of a manifest that is not in the folder. */
export const missingFile = (path: string): HeddleError =>
  new HeddleError('the file is missing; restore it from a copy', { area: path, kind: 'input' });

/** The error of a file that does not have the checksum of the manifest. */
export const changedFile = (path: string): HeddleError =>
  new HeddleError(
    msg`SHA-256 differs; the file changed after it was written. Restore it from a copy, or delete ${manifestName} to use it as it is`,
    { area: path, kind: 'input' },
  );

/**
 * Runs work while files are compared, and returns its result after both have ended. A damaged file is reported as
 * such, not by what `work` makes of its contents.
 */
export async function verifiedWhile<T>(verified: Promise<void>, work: () => Promise<T>): Promise<T> {
  verified.catch(() => undefined); // awaited below
  try {
    return await work();
  } finally {
    await verified;
  }
}
