// Whether a call of `train` may write its checkpoints: not over a model, steps of another run, or files of others,
// unless it may replace what heddle wrote. Loaded by runs that save.

import { check, HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { type Files, folderPart, writeText } from '../files/files.ts';
import { checkRunFolder, ownsModel } from '../train/data/run-files.ts';
import { checkStepFolders } from '../train/run/step-folders.ts';

/** What decides whether a run may write its checkpoints. */
interface CheckpointOptions {
  /** Whether the folder has a model. */
  readonly isModel: boolean;
  readonly resume: boolean;
  readonly force: boolean;
  /** Number of checkpoints whose weights the run keeps in folders. */
  readonly keepLast: number | undefined;
}

/**
 * Throws a HeddleError if a run may not write its checkpoints to the folder or archive `out`. `name`: what the
 * caller calls it.
 */
export async function checkCheckpoint(
  files: Files,
  out: string,
  name: string | undefined,
  { isModel, resume, force, keepLast }: CheckpointOptions,
): Promise<void> {
  if (!resume) {
    check(
      force || !(isModel || (await ownsModel(files, out))),
      msg`checkpoint ${name}: a model exists; { resume: true } resumes it, { force: true } replaces it`,
      { area: 'train' },
    );
    await checkRunFolder(files, out);
  }
  const remedy = resume ? 'move it away' : '{ force: true } replaces it, or move it away';
  if (keepLast && !force) await checkStepFolders(files, out, 'train: keepLast', remedy);
  await checkWritable(files, out, `train: checkpoint ${name}`);
}

/** Throws a HeddleError that begins with `label` if a folder or archive cannot be written. */
export async function checkWritable(files: Files, folder: string, label: string): Promise<void> {
  const probe = `${folderPart(folder)}.${crypto.randomUUID()}.probe`; // no file of the user has this name
  try {
    await writeText(files, probe, '');
  } catch (error) {
    const { template, kind } = error as HeddleError;
    if (kind === 'quota') return; // the estimate of the room, or the first checkpoint, says so
    throw new HeddleError(template, { kind, area: label, cause: error });
  }
  await files.remove(probe);
}
