// Validates the output folder before a training starts, so that a run of hours can be saved.

import { basename, dirname, resolve, sep } from 'node:path';
import { HeddleError } from '../core/errors.ts';
import { existingFolder, type Files, withoutEndSlash, writeText } from '../files/files.ts';
import { isLoraFolder } from '../formats/lora-folder.ts';
import { isHeddleFolder } from '../formats/model-folder.ts';
import { lockPath } from '../host/folder-lock.ts';

/** What to do if the output folder has a model. */
export const replaceModel = '--force replaces it; or use another folder';

/** Options of train, distill and average that choose the output folder. */
interface OutOptions {
  readonly out?: string;
  readonly force?: boolean;
  readonly resume?: boolean;
}

/**
 * Returns the output folder without a trailing slash and without symbolic links. Default: the first of
 * `runs/NAME`, `runs/NAME-2`, `runs/NAME-3`, ... that does not exist. `remedy`: what to do if the folder has
 * a model. Throws a HeddleError if the folder exists without --force or --resume, contains something else
 * than a model, or cannot be written.
 */
export async function outFolder(
  files: Files,
  name: string,
  { out, force, resume }: OutOptions,
  remedy = replaceModel,
): Promise<string> {
  if (resume && force)
    throw new HeddleError('train: --resume continues a run, --force replaces it; use only one of them');
  if (out === undefined) {
    if (resume) throw new HeddleError('train: --resume needs --out, the folder of the run to resume');
    return freeFolder(files, `runs/${name}`);
  }
  const given = withoutEndSlash(out);
  const folder = (await files.real?.(given)) ?? given;
  if (/\.safetensors$/i.test(folder))
    throw new HeddleError(
      `--out ${out}: the output is a folder or a .zip file, not a file of weights; name a folder`,
    );
  if (`${process.cwd()}${sep}`.startsWith(resolve(folder).replace(/[\\/]*$/, sep)))
    throw new HeddleError(`--out ${out}: it contains the working directory; name a separate folder`);
  const existing = await existingFolder(files, folder);
  if (await isTrained(files, folder)) {
    if (!resume && !force)
      throw new HeddleError(
        `--out ${out}: a model exists${existing === folder ? '' : ` (${existing}: saving was interrupted)`}; ${remedy}`,
      );
  } else if (resume)
    throw new HeddleError(
      `--out ${out}: there is no checkpoint to resume; name the folder of a run (heddle runs runs lists them), or omit --resume`,
    );
  else if (await isTaken(files, existing))
    throw new HeddleError(
      `--out ${out}: ${existing === folder ? 'it' : existing} contains something that is not a model; use another folder`,
    );
  await checkWritable(files, folder);
  return folder;
}

/** Whether a folder exists and is not empty. The first save would delete it. */
async function isTaken(files: Files, folder: string): Promise<boolean> {
  if (!(await files.exists(folder))) return false;
  return files.list(folder).then(
    (names) => names.length > 0,
    () => true, // a file
  );
}

/** Whether a folder contains a trained model or LoRA adapter. */
const isTrained = async (files: Files, folder: string): Promise<boolean> =>
  (await isHeddleFolder(files, folder)) || (await isLoraFolder(files, folder));

/** The first of `base`, `base-2`, `base-3`, ... that neither exists nor is locked. */
async function freeFolder(files: Files, base: string): Promise<string> {
  for (let n = 1; ; n++) {
    const folder = n === 1 ? base : `${base}-${n}`;
    if ((await files.exists(await existingFolder(files, folder))) || (await files.exists(lockPath(folder))))
      continue;
    await checkWritable(files, folder);
    return folder;
  }
}

async function checkWritable(files: Files, folder: string): Promise<void> {
  const probe = `${dirname(folder)}/.${basename(folder)}.probe`;
  try {
    await writeText(files, probe, '');
  } catch (error) {
    throw new HeddleError(`--out ${folder}: ${(error as Error).message.replace(/^.*?: (?=cannot)/, '')}`, {
      cause: error,
    });
  }
  await files.remove(probe);
}
