// Validates the output folder before a training starts, so that a run of hours can be saved.

import { resolve } from 'node:path';
import { checkCheckpoint, checkWritable } from '../api/checkpoint-folder.ts';
import { HeddleError } from '../core/errors.ts';
import { type Files, withoutEndSlash } from '../files/files.ts';
import { checkWritableFolder } from '../files/owned-folder.ts';
import { settledFolder } from '../files/settled-folder.ts';
import { lockPath } from '../host/folder-lock.ts';
import { checkNamed } from './output-file.ts';

/** Options of train, distill and average that choose the output folder. */
interface OutOptions {
  readonly out?: string;
  readonly force?: boolean;
  readonly resume?: boolean;
}

/**
 * Returns the output folder without a trailing slash and without symbolic links. Default: the first of
 * `runs/NAME`, `runs/NAME-2`, `runs/NAME-3`, ... that does not exist. `canResume`: whether a
 * message offers --resume. Throws a HeddleError if heddle did not write the folder, it has a model without --force or
 * --resume, or it cannot be written.
 */
export async function outFolder(
  files: Files,
  name: string,
  { out, force, resume }: OutOptions,
  canResume = false,
): Promise<string> {
  if (resume && force)
    throw new HeddleError('--resume continues a run, --force replaces it; use only one of them', {
      area: 'train',
    });
  if (out === undefined) {
    if (resume)
      throw new HeddleError('--resume needs --out, the folder of the run to resume', { area: 'train' });
    return freeFolder(files, `runs/${name}`);
  }
  checkNamed('--out', out);
  const named = withoutEndSlash(out);
  // The files beside the folder have its name, which `.` is not.
  const given = /(?:^|[\\/])\.{1,2}$/.test(named) ? resolve(named) : named;
  const folder = (await files.real?.(given)) ?? given;
  if (/\.safetensors$/i.test(folder))
    throw new HeddleError('the output is a folder or a .zip file, not a file of weights; name a folder', {
      area: `--out ${out}`,
    });
  await checkCheckpoint(files, folder, { label: `--out ${out}`, resume, force, canResume });
  return folder;
}

/**
 * Throws a HeddleError if a command may not write a folder or a .zip file: it has something that heddle did not write,
 * or, without `force`, something that heddle wrote.
 */
export async function checkNewFolder(files: Files, out: string, force = false): Promise<void> {
  if (!(await files.exists(out))) return;
  await checkWritableFolder(files, out, []);
  const isEmpty = async () => (await files.list(out)).length === 0;
  if (!force && !(await isEmpty().catch(() => false)))
    throw new HeddleError('it exists already; use --force to replace it, or another name', { area: out });
}

/** The first of `base`, `base-2`, `base-3`, ... that neither exists nor is locked. */
async function freeFolder(files: Files, base: string): Promise<string> {
  for (let n = 1; ; n++) {
    const folder = n === 1 ? base : `${base}-${n}`;
    if ((await files.exists(await settledFolder(files, folder))) || (await files.exists(lockPath(folder))))
      continue;
    await checkWritable(files, folder, `--out ${folder}`);
    return folder;
  }
}
