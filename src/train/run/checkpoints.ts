// Saves checkpoints of a run and restores it from one. They are written to the model folder, or to memory so
// that a lost device costs little. If a save fails, training continues with a warning; at the end it is an
// error.

import { HeddleError } from '../../core/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Files } from '../../files/files.ts';
import { memoryFiles } from '../../files/memory-files.ts';
import type { CompleteArguments } from '../settings/train-arguments.ts';
import type { Trainer } from '../update/trainer.ts';
import { checkpointFiles, restoreOptimizer, type TrainingState } from '../update/training-state.ts';
import type { ChangeList } from './live-run.ts';
import type { Logbook } from './logging.ts';
import type { Pause } from './loop.ts';
import type { BestModel, BestState } from './selection.ts';
import type { Setup } from './setup.ts';
import type { CheckpointFolder } from './train-result.ts';
import type { TrainedWeights } from './trained-weights.ts';

/** When and where to save checkpoints. */
export interface CheckpointerOptions {
  /** The model folder; if undefined, checkpoints are in memory only. */
  readonly out: CheckpointFolder | undefined;
  /** Save there every N updates, and every N seconds; 0: only at the end. */
  readonly saveSteps: number;
  readonly saveSeconds: number;
  /**
   * Receives the step of a checkpoint that is complete in the model folder, and the error of a failed save.
   */
  readonly onSaved: (step: number) => void;
  readonly onFailed: (error: HeddleError) => void;
  /** Whether to save to the model folder after this update too. */
  readonly isWanted?: (() => boolean) | undefined;
  /** Files in memory. [new ones] */
  readonly memory?: Files | undefined;
}

/** Saves checkpoints. */
export type Checkpointer = ReturnType<typeof createCheckpointer>;

/** Seconds between checkpoints in memory, and the maximum share of the time that saving by time may take. */
const memorySeconds = 30;
const maxShare = 0.02;

/** Creates a checkpointer. */
export function createCheckpointer(options: CheckpointerOptions) {
  const {
    out,
    saveSteps,
    saveSeconds,
    onSaved,
    onFailed,
    isWanted = () => false,
    memory = memoryFiles(),
  } = options;
  const inMemory: CheckpointFolder = { files: memory, folder: out?.folder ?? 'snapshot' };
  let last: CheckpointFolder | undefined;
  let lastStep = -1;
  let lastTime = performance.now();
  let took = 0;
  const since = () => (performance.now() - lastTime) / 1000;
  return {
    /** The last complete checkpoint; undefined before the first. */
    get last(): CheckpointFolder | undefined {
      return last;
    },
    /** Its number of updates; -1 before the first. */
    get step(): number {
      return lastStep;
    },
    /** Returns the pauses of the training loop that save checkpoints; `save` writes one. */
    pauses(step: () => number, save: (place: CheckpointFolder, skipped: number) => Promise<void>): Pause[] {
      const keep = async (place: CheckpointFolder, skipped: number): Promise<void> => {
        const begin = performance.now();
        await save(place, skipped);
        lastTime = performance.now();
        took = (lastTime - begin) / 1000;
        lastStep = step();
        if (place !== inMemory) {
          await memory.remove(inMemory.folder);
          onSaved(lastStep);
        }
        last = place;
      };
      const toFolder = async (skipped: number, final: boolean) => {
        if (!out) return;
        if (lastStep === step() && last === out) {
          if (isWanted()) onSaved(lastStep);
          return;
        }
        try {
          await keep(out, skipped);
        } catch (error) {
          if (!(error instanceof HeddleError)) throw error;
          // If the device is lost, saving to memory fails too.
          await keep(inMemory, skipped);
          if (final) throw error;
          onFailed(error);
        }
      };
      const toMemory = async (skipped: number, final: boolean) => {
        if (!final) await keep(inMemory, skipped);
      };
      const interval = saveSeconds > 0 ? saveSeconds : memorySeconds;
      const due = () => since() >= Math.max(interval, took / maxShare);
      const folderDue = () => (saveSteps > 0 && step() % saveSteps === 0) || isWanted();
      return [
        ...(out ? [{ due: folderDue, pause: toFolder }] : []),
        { due, pause: out && saveSeconds > 0 ? toFolder : toMemory },
      ];
    },
  };
}

/** Position in the data of update `step`: its epoch, and its first batch in the epoch, both from 0. */
export function positionOf(step: number, gradientAccumulationSteps: number, perEpoch: number) {
  const firstBatch = step * gradientAccumulationSteps;
  return { step, epoch: Math.floor(firstBatch / perEpoch), batch: firstBatch % perEpoch };
}

/**
 * Names of weights in a checkpoint besides those of the model: the weights in training, and the best ones so
 * far.
 */
const running = 'running';
const bestSoFar = 'best';

/** The parts of a run that a checkpoint saves. */
export interface RunParts {
  readonly engine: Engine;
  readonly trainer: Trainer;
  readonly trained: TrainedWeights;
  readonly best: BestModel;
  readonly logbook: Logbook;
  readonly changes: ChangeList;
}

/**
 * Writes the model and the training state into a folder, all or nothing. `skipped`: number of skipped
 * updates.
 */
export async function writeCheckpoint(
  { args, keep, data, task, recipe, steps }: Setup,
  { engine, trainer, trained, best, logbook, changes }: RunParts,
  place: CheckpointFolder,
  skipped: number,
): Promise<void> {
  const { trainable } = trainer;
  const model = best.weights() ?? (await trained.read());
  const state = {
    ...positionOf(trainer.step, args.gradientAccumulationSteps, task.batches.perEpoch),
    steps,
    skipped,
    seed: args.seed,
    schedule: trainer.schedule,
    data,
    arguments: { ...args, ...(changes.text && { changes: changes.text }) },
    ...(best.kept && { best: best.kept }),
  };
  const training = (await engine.read(trainable.state)).data as Float32Array;
  const earlier = best.earlier();
  const more = {
    // The model has other weights than the training if it is a moving average, or comes from an earlier
    // evaluation.
    ...(training.some((x, i) => x !== model[i]) && { [running]: training }),
    ...(earlier && { [bestSoFar]: earlier }),
  };
  const extra = await checkpointFiles(engine, trainable, recipe.optimizer, state, more);
  await trained.save(place, model, { ...extra, ...logbook.files(), ...keep });
}

/**
 * Returns a function that saves the weights of an update in a folder `OUT.step-STEP` next to the model folder
 * `out`, and removes all but the last `keepLast` of these folders, including those of earlier sessions.
 */
export function createWeightKeeper(
  files: Files,
  { out, keepLast }: Pick<CompleteArguments, 'out' | 'keepLast'>,
  trained: TrainedWeights,
): (step: number) => Promise<void> {
  const [, base = out, ending = ''] = /^(.*?)(\.zip)?$/i.exec(out) ?? [];
  const [, parent = '', name = ''] = /^(.*[\\/])?([^\\/]*)$/.exec(base) ?? [];
  const folderOf = (step: number) => `${base}.step-${step}${ending}`;
  let steps: number[] | undefined;
  return async (step) => {
    if (keepLast === 0) return;
    const entries = steps ? [] : await files.list(parent || '.').catch(() => []);
    steps ??= entries.flatMap((entry) => {
      const savedStep = Number(/\.step-(\d+)/.exec(entry)?.[1]);
      return entry === `${name}.step-${savedStep}${ending}` ? [savedStep] : [];
    });
    await trained.save({ files, folder: folderOf(step) }, await trained.read(), {});
    steps = [...steps.filter((other) => other !== step), step].sort((a, b) => a - b);
    for (const old of steps.splice(0, Math.max(0, steps.length - keepLast)))
      await files.remove(folderOf(old));
  };
}

/** Restores a checkpoint on the engine; returns the best weights in it. */
export async function restore(
  engine: Engine,
  trainer: Trainer,
  trained: TrainedWeights,
  place: CheckpointFolder,
  before: TrainingState,
): Promise<{ state: BestState; weights: Float32Array } | undefined> {
  const weights = await trained.load(place);
  const { trainable, recipe } = trainer;
  const saved = await restoreOptimizer(engine, place.files, place.folder, trainable, recipe.optimizer);
  engine.write(trainable.state, saved(running) ?? weights);
  trainer.step = before.step;
  const state = before.best as BestState | undefined;
  return state && { state, weights: saved(bestSoFar) ?? weights };
}
