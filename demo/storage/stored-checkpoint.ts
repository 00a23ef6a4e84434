// Checkpoints of trainings that are stored in the browser. A first visitor has none, and loads no code for them.

import type { Checkpoint } from '../../src/entries/heddle.ts';
import type { Files } from '../../src/entries/host.ts';

/** Loads what reads checkpoints and logs. */
export const checkpointCode = () => import('./checkpoint-code.ts');

/** The checkpoint of a model; `files` has its folder. Rejects as `readCheckpoint`. */
export async function storedCheckpoint(
  folder: string,
  place?: { readonly files: Files },
): Promise<Checkpoint> {
  return (await checkpointCode()).readCheckpoint(folder, place);
}
