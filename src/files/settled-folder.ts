// What a reader of a folder of heddle does first.

import { type Files, readText, withoutEndSlash } from './files.ts';
import { finishReplacements } from './folder-commit.ts';
import { isStaging, manifestName } from './model-file.ts';

/**
 * Finishes the replacement of a folder if a process was killed meanwhile, and returns the path of the folder
 * without slashes at its end. Call it before reading a folder that heddle wrote.
 */
export async function settledFolder(files: Files, folder: string): Promise<string> {
  const namesIn = async () => ((await files.exists(folder)) ? files.list(folder) : []);
  const names = await namesIn().catch(() => []); // a file, or files without listing
  if (names.some(isStaging)) await finishReplacements(files, folder);
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
