// A checkpoint that is open: its place, the training state in it, and the run that wrote it.

import type { Files } from '../../files/files.ts';
import { readManifest } from '../../files/owned-folder.ts';
import type { CheckpointFolder } from './train-result.ts';
import { readTrainingState, type TrainingState } from './training-state.ts';

/** A checkpoint to resume. */
export interface OpenCheckpoint extends CheckpointFolder {
  readonly state: TrainingState;
  /** Id of its run; undefined if another program wrote it. */
  readonly runId: string | undefined;
}

/** Opens the checkpoint in a folder. Throws a HeddleError if its state is missing or broken. */
export async function openCheckpoint({ files, folder }: CheckpointFolder): Promise<OpenCheckpoint> {
  const state = await readTrainingState(files, folder);
  return { files, folder, state, runId: await runIdIn(files, folder) };
}

/** Id of the run that wrote a folder; undefined if there is none. */
export const runIdIn = async (files: Files, folder: string): Promise<string | undefined> =>
  (await readManifest(files, folder))?.run;
