// Whether a training may write its folder: not over a model, steps of another run, or files of others, unless it may
// replace what heddle wrote. `train` of the library and the commands that write a model ask here.

import { check, HeddleError } from '../core/errors.ts';
import { listed, msg, option } from '../core/message.ts';
import { type Files, isInFolder, temporaryBeside, writeText } from '../files/files.ts';
import { readJson } from '../files/json-files.ts';
import { modelFileNames } from '../files/model-file.ts';
import { settledFolder } from '../files/settled-folder.ts';
import { isLoraFolder } from '../formats/lora-files.ts';
import { isHeddleFolder } from '../formats/model-folder.ts';
import { initSchemes } from '../model/initialize-weights.ts';
import { checkRunFolder, ownsModel } from '../train/data/run-files.ts';
import { checkStepFolders } from '../train/run/step-folders.ts';
import { initFolder } from '../train/settings/run-defaults.ts';
import type { TrainSettings } from '../train/settings/train-settings.ts';

/** What decides whether a folder may be written. */
export interface CheckpointOptions {
  /** What messages call the folder, with its name. */
  readonly label: string;
  /** Whether to continue the training of the model in the folder. [false] */
  readonly resume?: boolean;
  /** Whether to replace a model of heddle in the folder. [false] */
  readonly force?: boolean;
  /** Whether messages offer `resume`. [true] */
  readonly canResume?: boolean;
}

/** Whether a folder contains a trained model or LoRA adapter of heddle. */
const isTrained = async (files: Files, folder: string): Promise<boolean> =>
  (await isHeddleFolder(files, folder)) || (await isLoraFolder(files, folder));

/**
 * Throws a HeddleError if a training may not write its checkpoints to the folder or archive `out`, or has nothing to
 * resume there.
 */
export async function checkCheckpoint(
  files: Files,
  out: string,
  { label, resume = false, force = false, canResume = true }: CheckpointOptions,
): Promise<void> {
  const folder = await settledFolder(files, out);
  if (resume) await checkResumable(files, folder, label);
  else {
    await checkOwned(files, folder, label);
    if (!force && ((await isTrained(files, folder)) || (await ownsModel(files, folder))))
      throw new HeddleError(
        canResume
          ? msg`a model exists; ${option('resume', true)} resumes it, ${option('force', true)} replaces it`
          : msg`a model exists; ${option('force', true)} replaces it; or use another folder`,
        { area: label },
      );
  }
  await checkWritable(files, out, label);
}

/** Throws a HeddleError if a folder has no checkpoint, or a damaged one. */
async function checkResumable(files: Files, folder: string, label: string): Promise<void> {
  if (await isTrained(files, folder)) return;
  const config = `${folder}/${modelFileNames.config}`;
  if (await files.exists(config)) await readJson(files, config); // a damaged file is called damaged
  throw new HeddleError(
    msg`there is no checkpoint to resume; name the folder of a run (heddle runs lists them), or omit ${option('resume')}`,
    { area: label, kind: 'not-found' },
  );
}

/** Throws a HeddleError about `label` if a folder has files of others that a run would replace. */
async function checkOwned(files: Files, folder: string, label: string): Promise<void> {
  try {
    await checkRunFolder(files, folder);
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    throw new HeddleError(error.template, { kind: error.kind, area: label, cause: error });
  }
}

/** Options of `checkRunPaths`. */
interface RunPathOptions {
  readonly resume: boolean;
  readonly force: boolean;
  /** The absolute path of a path. [as it is] */
  readonly placeOf?: (path: string) => string;
}

/**
 * Throws a HeddleError if the files and folders of the settings do not go with the model folder `out`. `settings`: all
 * of the run, those of its checkpoint included.
 */
export async function checkRunPaths(
  files: Files,
  out: string,
  settings: TrainSettings,
  { resume, force, placeOf = (path) => path }: RunPathOptions,
): Promise<void> {
  const { tensorboard, keepLast, lora } = settings;
  check(
    !tensorboard || !isInFolder(placeOf(tensorboard), placeOf(out)),
    msg`${option('tensorboard')} (${tensorboard}) is in the model folder ${out}, which has only files of the model; use a folder outside, for example ${out}-tensorboard`,
    { area: 'train' },
  );
  const base = initFolder(settings);
  check(
    !lora || base === undefined || placeOf(base) !== placeOf(out),
    'this is the base model of the LoRA adapter; use another folder',
    { area: out },
  );
  check(
    base === undefined || resume || (await files.exists(base)),
    msg`${option('init')} (${base}) is neither a scheme (${listed(initSchemes)}) nor an existing folder; to fine-tune a model of the hub, download it first: heddle pull OWNER/NAME`,
    { area: 'train', kind: 'not-found' },
  );
  if (keepLast && !force) await checkStepFolders(files, out, resume);
}

/** Throws a HeddleError that begins with `label` if a folder or archive cannot be written. */
export async function checkWritable(files: Files, folder: string, label: string): Promise<void> {
  const probe = temporaryBeside(folder);
  try {
    await writeText(files, probe, '');
  } catch (error) {
    const { template, kind } = error as HeddleError;
    if (kind === 'quota') return; // the estimate of the room, or the first checkpoint, says so
    throw new HeddleError(template, { kind, area: label, cause: error });
  }
  await files.remove(probe);
}
