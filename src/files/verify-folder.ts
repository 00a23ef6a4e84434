// The comparison of a folder with the checksums in its manifest. Models are compared while they are loaded:
// settled-folder.ts.

import type { FileChecksum } from './checksums.ts';
import type { Files } from './files.ts';
import { compareChecksums } from './folder-commit.ts';

/**
 * Compares files of a folder with the checksums of its manifest; all of them if `isChecked` is not given. Throws
 * a HeddleError that names the first file that differs or is missing. Does nothing without a manifest.
 */
export const verifyFolder = (
  files: Files,
  folder: string,
  isChecked?: (name: string, checksum: FileChecksum) => boolean,
): Promise<void> => compareChecksums(files, folder, isChecked);

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
