// The comparison of a folder with its manifest: of all its files, or of each file when it is read.

import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { digest, type FileChecksum, fileHasChecksum } from './checksums.ts';
import { type Files, openBlob } from './files.ts';
import { type FolderManifest, manifestIn, parseManifest } from './folder-manifest.ts';
import { checkpointNames, manifestName } from './model-file.ts';
import { createXxh32 } from './xxh32.ts';

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
const missingFile = (path: string): HeddleError =>
  new HeddleError('the file is missing; restore it from a copy', { area: path, kind: 'input' });

/** The error of a file that does not have the checksum of the manifest. */
const changedFile = (path: string): HeddleError =>
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

/** Files whose comparison with a manifest has begun, by their paths; it rejects if the file changed. */
type Comparisons = Map<string, Promise<void>>;

/** Reads a file. Throws a HeddleError if it does not have the checksum: XXH32, or SHA-256 if there is none. */
async function readCompared(files: Files, path: string, expected: FileChecksum): Promise<Uint8Array> {
  const size = await files.size?.(path);
  if (size !== undefined && size !== expected.size) throw changedFile(path);
  const sum = createXxh32();
  let isAdded = false;
  // Hashed while the rest is read, so that it takes no time.
  const bytes = await files.read(path, (part) => {
    sum.add(part);
    isAdded = true;
  });
  if (!isAdded) sum.add(bytes);
  const isEqual =
    expected.xxh32 === undefined ? (await digest(bytes)) === expected.sha256 : sum.hex() === expected.xxh32;
  if (bytes.length !== expected.size || !isEqual) throw changedFile(path);
  return bytes;
}

/**
 * Files that are compared with the manifest of a folder. `read` throws a HeddleError that names the file if it changed
 * after it was written. A file that is opened as a Blob is compared beside the caller's work, see `comparisons`.
 */
function verified(
  files: Files,
  folder: string,
  manifest: FolderManifest | undefined,
  comparisons: Comparisons,
): Files {
  const expectedOf = (path: string) =>
    path.startsWith(`${folder}/`) ? manifest?.files[path.slice(folder.length + 1)] : undefined;
  const compare = async (path: string, expected: FileChecksum) => {
    if (!(await fileHasChecksum(files, path, expected))) throw changedFile(path);
  };
  return {
    ...files,
    async read(path) {
      const expected = expectedOf(path);
      if (!expected) return files.read(path);
      comparisons.set(path, Promise.resolve());
      return readCompared(files, path, expected);
    },
    async blob(path) {
      const expected = expectedOf(path);
      if (expected) {
        const comparison = compare(path, expected);
        comparison.catch(() => undefined); // awaited later
        comparisons.set(path, comparison);
      }
      return openBlob(files, path);
    },
  };
}

/**
 * Files whose `read` throws a HeddleError that names the file if it is in the manifest of the folder, and changed
 * after it was written.
 */
export const verifiedFiles = async (files: Files, folder: string): Promise<Files> =>
  verified(files, folder, await manifestIn(files, folder), new Map());

/** Files of at least this size are compared only if they are read: 1 MiB. */
const largeFile = 2 ** 20;

/** Files of a training run, which a model does not need. */
const notOfModel: readonly string[] = [...Object.values(checkpointNames), 'log.jsonl', 'report.html'];

/** Scripts of `--to torch-run`, which users adapt to their cluster, and its data. */
const torchRunFile = /^data\/|\.py$/;

/** What `readVerifiedModel` adds to what was read. */
export interface Verified {
  /** Resolves when the files that are read in parts have been compared; rejects if one of them changed. */
  readonly verified?: Promise<void>;
}

/**
 * Reads a model by `read`, which gets files that are compared with the manifest of the folder; `text`: its contents.
 * Throws a HeddleError that names the first file of the model that is missing or changed, also if `read` reports its
 * contents.
 */
export async function readVerifiedModel<T>(
  files: Files,
  folder: string,
  text: string,
  read: (files: Files) => Promise<T>,
): Promise<T & Verified> {
  const manifest = parseManifest(new TextEncoder().encode(text), `${folder}/${manifestName}`);
  const comparisons: Comparisons = new Map();
  const own = verified(files, folder, manifest, comparisons);
  const ofModel = Object.entries(manifest.files).flatMap(([name, { size }]) =>
    notOfModel.includes(name) || torchRunFile.test(name) ? [] : [{ path: `${folder}/${name}`, size }],
  );
  const checkThere = async (path: string) => {
    if (!(await files.exists(path))) throw missingFile(path);
  };
  const compared = async () => {
    await Promise.all(comparisons.values());
  };
  try {
    const model = await read(own);
    for (const { path, size } of ofModel)
      if (!comparisons.has(path)) await (size < largeFile ? own.read(path) : checkThere(path));
    const whole = compared();
    whole.catch(() => undefined); // the caller awaits it
    return { ...model, verified: whole };
  } catch (error) {
    for (const { path } of ofModel) await checkThere(path);
    await compared();
    throw error;
  }
}
