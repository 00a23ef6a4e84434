// Keeps checkpoints of a training while it runs: in its folder where that is asked for, else in memory, so that a lost device costs
// little. What cannot be saved on the way is reported and training goes on; at its end it is an error.

import { HeddleError } from '../core/errors.ts';
import type { Files } from '../files/files.ts';
import { memoryFiles } from '../files/memory-files.ts';
import type { Pause } from './loop.ts';

/** A folder in some files. */
export interface CheckpointFolder {
  readonly files: Files;
  readonly folder: string;
}

/** When to keep a checkpoint, and where. */
export interface CheckpointerOptions {
  /** The model's folder; none where undefined. */
  readonly out: CheckpointFolder | undefined;
  /** Save there every so many updates, and every so many seconds; 0: at the end alone. */
  readonly saveSteps: number;
  readonly saveSeconds: number;
  /** Hears of a checkpoint that is whole in the model's folder, and of one that could not be saved. */
  readonly saved: (step: number) => void;
  readonly failed: (error: HeddleError) => void;
  /** Whether the host wants a checkpoint in the model's folder after this update. */
  readonly wanted?: () => boolean;
  /** Files in memory, instead of new ones. */
  readonly memory?: Files | undefined;
}

/** Keeps the last checkpoint. */
export interface Checkpointer {
  /** The last whole one; undefined before the first. */
  readonly last: CheckpointFolder | undefined;
  /** Updates done by the last one; -1 before the first. */
  readonly step: number;
  /** Pauses of a loop that keep checkpoints; `save` writes one. */
  pauses(step: () => number, save: (place: CheckpointFolder, skipped: number) => Promise<void>): Pause[];
}

/** Seconds between snapshots in memory, and the most of a training's time that they may take. */
const memorySeconds = 30;
const mostShare = 0.02;

/** Makes a keeper. */
export function createCheckpointer({
  out,
  saveSteps,
  saveSeconds,
  saved,
  failed,
  wanted = () => false,
  memory = memoryFiles(),
}: CheckpointerOptions): Checkpointer {
  const spare: CheckpointFolder = { files: memory, folder: out?.folder ?? 'snapshot' };
  let last: CheckpointFolder | undefined;
  let lastStep = -1;
  let lastTime = performance.now();
  let took = 0;
  const keep = async (
    place: CheckpointFolder,
    step: number,
    write: (place: CheckpointFolder) => Promise<void>,
  ): Promise<void> => {
    const begin = performance.now();
    await write(place);
    lastTime = performance.now();
    took = (lastTime - begin) / 1000;
    lastStep = step;
    if (place !== spare) {
      await memory.remove(spare.folder);
      saved(step);
    }
    last = place;
  };
  const since = () => (performance.now() - lastTime) / 1000;
  return {
    get last() {
      return last;
    },
    get step() {
      return lastStep;
    },
    pauses(step, save) {
      const toFolder = async (skipped: number, final: boolean) => {
        if (!out) return;
        if (lastStep === step() && last === out) {
          if (wanted()) saved(lastStep);
          return;
        }
        const write = (place: CheckpointFolder) => save(place, skipped);
        try {
          await keep(out, step(), write);
        } catch (error) {
          if (!(error instanceof HeddleError)) throw error;
          // The device may be what fails, and the save in memory then fails too.
          await keep(spare, step(), write);
          if (final) throw error;
          failed(error);
        }
      };
      const toMemory = async (skipped: number, final: boolean) => {
        if (!final) await keep(spare, step(), (place) => save(place, skipped));
      };
      const timed = saveSeconds > 0 ? saveSeconds : memorySeconds;
      const due = () => since() >= Math.max(timed, took / mostShare);
      return [
        ...(out ? [{ every: saveSteps, due: wanted, pause: toFolder }] : []),
        { every: 0, due, pause: out && saveSeconds > 0 ? toFolder : toMemory },
      ];
    },
  };
}
