// Where a training writes: checked before anything is trained, so that hours of work do not end at a folder that cannot
// be written.

import { basename, dirname, resolve, sep } from 'node:path';
import { HeddleError } from '../core/errors.ts';
import { existingFolder, type Files, writeText } from '../files/files.ts';
import { isLoraFolder } from '../formats/lora-folder.ts';
import { isHeddleFolder } from '../formats/model-folder.ts';

/** The options that matter here. */
export interface OutOptions {
  readonly out?: string;
  readonly force?: boolean;
  readonly resume?: boolean;
}

/** A path without slashes at its end, of either kind; `/` stays. */
export const withoutEndSlash = (path: string): string => path.replace(/(?<=.)[\\/]+$/, '');

/**
 * The folder to write, without a slash at its end. Where none is named, `runs/NAME` or the first of `runs/NAME-2`, -3,
 * ... that is free. Throws a HeddleError where the folder is there without --force or --resume, where it holds
 * something else than a model, and where it cannot be written.
 */
export async function outFolder(files: Files, name: string, { out, force, resume }: OutOptions): Promise<string> {
  if (resume && force) throw new HeddleError('train: --resume goes on with a model, --force replaces it; choose one');
  if (out === undefined) {
    if (resume) throw new HeddleError('train: --resume needs --out, the folder of the training to go on with');
    return free(files, `runs/${name}`);
  }
  const folder = withoutEndSlash(out);
  if (/\.safetensors$/i.test(folder))
    throw new HeddleError(
      `--out ${out}: a file of weights is only read; name a folder, whose model.safetensors is one, or a .zip`,
    );
  if (`${process.cwd()}${sep}`.startsWith(resolve(folder).replace(/[\\/]*$/, sep)))
    throw new HeddleError(`--out ${out}: the working directory is in it; name a folder of the model's own`);
  if (resume) {
    if (!(await isTrained(files, folder))) throw new HeddleError(`--out ${out}: there is no model to resume`);
  } else if (await isTaken(files, folder)) {
    const there = await existingFolder(files, folder);
    if (!(await isTrained(files, folder)))
      throw new HeddleError(
        `--out ${out}: ${there === folder ? 'it' : there} holds something that is not a model; name another folder`,
      );
    if (!force)
      throw new HeddleError(
        `--out ${out}: a model is there${there === folder ? '' : ` (${there}: saving was cut off)`}; ` +
          '--resume continues its training, --force replaces it, or name another',
      );
  }
  await checkWritable(files, folder);
  return folder;
}

/** Whether something is in a folder, or in the one before it, which the first save would remove. */
async function isTaken(files: Files, folder: string): Promise<boolean> {
  const there = await existingFolder(files, folder);
  return (await files.exists(there)) && !(await isEmpty(files, there));
}

/** Whether a training made a folder: a model, or an adapter of one. */
const isTrained = async (files: Files, folder: string): Promise<boolean> =>
  (await isHeddleFolder(files, folder)) || (await isLoraFolder(files, folder));

async function free(files: Files, base: string): Promise<string> {
  for (let n = 1; ; n++) {
    const folder = n === 1 ? base : `${base}-${n}`;
    if (await files.exists(await existingFolder(files, folder))) continue;
    await checkWritable(files, folder);
    return folder;
  }
}

async function isEmpty(files: Files, folder: string): Promise<boolean> {
  try {
    return (await files.list(folder)).length === 0;
  } catch {
    return false; // a file
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
