// Saves checkpoints of a run: to the model folder, or to memory so that a lost device costs little. If a save fails,
// training continues with a warning; at the end it is an error, and the checkpoint is saved beside the folder.

import { HeddleError, reasonOf } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { Engine } from '../../engine/engine.ts';
import { baseName, type Files, folderPart } from '../../files/files.ts';
import { memoryFiles } from '../../files/memory-files.ts';
import { ownFileNames, readManifest, removeOwnFolder } from '../../files/owned-folder.ts';
import type { RunningStages } from '../../text/batches/batch-source.ts';
import type { TrainingSession } from '../report/training-events.ts';
import type { CompleteArguments } from '../settings/train-arguments.ts';
import type { Trainer } from '../update/trainer.ts';
import type { BestModel } from './best-model.ts';
import { saveOnlyModel } from './disk-space.ts';
import type { ChangeList } from './live-run.ts';
import { failedFolder, type Logbook } from './logbook.ts';
import type { Pause } from './loop.ts';
import type { PreparedRun } from './prepared-run.ts';
import type { CheckpointFolder, TrainInputs } from './train-result.ts';
import type { TrainedWeights } from './trained-model.ts';
import { checkpointFiles, checkpointWeights } from './training-state.ts';

/** When and where to save checkpoints. */
export interface CheckpointerOptions {
  /** The model folder; if undefined, checkpoints are in memory only. */
  readonly out: CheckpointFolder | undefined;
  /** Save there every N updates, and every N seconds; 0: only at the end. */
  readonly saveSteps: number;
  readonly saveSeconds: number;
  /** Returns the number of updates done. */
  readonly step: () => number;
  /** Writes a checkpoint. `skipped`: number of skipped updates. */
  readonly save: (place: CheckpointFolder, skipped: number) => Promise<void>;
  /**
   * Receives the step of a checkpoint that is complete in the model folder, and the error of a failed save.
   */
  readonly onSaved: (step: number) => void;
  readonly onFailed: (error: HeddleError) => void;
  /**
   * Saves only the model at the end of the run, if the disk has no room for the checkpoint; returns whether that
   * worked.
   */
  readonly saveModel?: (error: HeddleError) => Promise<boolean>;
  /**
   * Saves the checkpoint elsewhere at the end of the run, if the model folder cannot be written for another reason;
   * returns the error that names the place.
   */
  readonly saveElsewhere?: (error: HeddleError, skipped: number) => Promise<HeddleError>;
  /** Whether to save to the model folder after this update too. */
  readonly isWanted?: () => boolean;
  /** Files in memory. [new ones] */
  readonly memory?: Files;
}

/** Seconds between checkpoints in memory, and the maximum share of the time that saving by time may take. */
const memorySeconds = 30;
const maxShare = 0.02;

/** Saves checkpoints: in the model folder by steps and by time, in memory by time. */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  readonly #inMemory: CheckpointFolder;
  #last: CheckpointFolder | undefined;
  #step = -1;
  /** Time of the last checkpoint in milliseconds, and the seconds that it took. */
  #time = performance.now();
  #took = 0;
  /** Whether the run has ended with only the model. */
  #hasOnlyModel = false;

  constructor(options: CheckpointerOptions) {
    const { memory = memoryFiles(), out } = options;
    this.#options = options;
    this.#inMemory = { files: memory, folder: out?.folder ?? 'snapshot' };
  }

  /** The last complete checkpoint; undefined before the first. */
  get last(): CheckpointFolder | undefined {
    return this.#last;
  }

  /** Its number of updates; -1 before the first. */
  get step(): number {
    return this.#step;
  }

  /** The pauses of the training loop that save checkpoints. */
  get pauses(): Pause[] {
    const { out, saveSteps, saveSeconds, step } = this.#options;
    const interval = saveSeconds > 0 ? saveSeconds : memorySeconds;
    const toFolder = (skipped: number, final: boolean) => this.#toFolder(skipped, final);
    const toMemory = async (skipped: number, final: boolean) => {
      if (!final) await this.#keep(this.#inMemory, skipped);
    };
    const bySteps = {
      due: () => (saveSteps > 0 && step() % saveSteps === 0) || this.#isWanted,
      pause: toFolder,
    };
    const byTime = {
      due: () => (performance.now() - this.#time) / 1000 >= Math.max(interval, this.#took / maxShare),
      pause: out && saveSeconds > 0 ? toFolder : toMemory,
    };
    return out ? [bySteps, byTime] : [byTime];
  }

  get #isWanted(): boolean {
    return this.#options.isWanted?.() ?? false;
  }

  async #toFolder(skipped: number, final: boolean): Promise<void> {
    const { out, step, onSaved, onFailed } = this.#options;
    if (!out || this.#hasOnlyModel) return;
    if (this.#step === step() && this.#last === out) {
      if (this.#isWanted) onSaved(this.#step);
      return;
    }
    try {
      await this.#keep(out, skipped);
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error;
      // If the device is lost, saving to memory fails too.
      await this.#keep(this.#inMemory, skipped);
      if (final) {
        if (error.kind === 'quota') this.#hasOnlyModel = (await this.#options.saveModel?.(error)) ?? false;
        if (this.#hasOnlyModel) return;
        throw (await this.#options.saveElsewhere?.(error, skipped)) ?? error;
      }
      onFailed(error);
    }
  }

  async #keep(place: CheckpointFolder, skipped: number): Promise<void> {
    const { step, save, onSaved } = this.#options;
    const begin = performance.now();
    await save(place, skipped);
    this.#time = performance.now();
    this.#took = (this.#time - begin) / 1000;
    this.#step = step();
    if (place !== this.#inMemory) {
      await this.#inMemory.files.remove(this.#inMemory.folder);
      onSaved(this.#step);
    }
    this.#last = place;
  }
}

/**
 * The checkpointer of a run. Each save to the model folder also saves the weights for `keepLast` and the token
 * cache.
 */
export function openCheckpointer(
  prepared: PreparedRun,
  run: RunParts,
  { emit, files }: TrainingSession,
  { gate, snapshots }: TrainInputs,
): Checkpointer {
  const { out, saveSteps, saveSeconds } = prepared.args;
  const kept = new WeightKeeper(files, prepared, run.weights);
  return new Checkpointer({
    out: out ? { files, folder: out } : undefined,
    saveSteps,
    saveSeconds,
    step: () => run.trainer.step,
    async save(place, skipped) {
      await writeCheckpoint(prepared, run, place, skipped);
      if (place.files !== files) return;
      await kept.save(run.trainer.step);
      await cachePairs(prepared, emit);
    },
    async saveModel(error) {
      const hasCheckpoint = (await readManifest(files, out))?.run === prepared.runId;
      const folder = await saveOnlyModel({ files, folder: out }, hasCheckpoint, (place) =>
        run.saveModel(place),
      );
      if (folder === undefined) return false;
      const text = msg`The checkpoint does not fit on the disk, so only the model is saved, in ${folder}; the run cannot be resumed from there: ${reasonOf(error)}`;
      emit({ type: 'warning', text, unsaved: true });
      return true;
    },
    async saveElsewhere(error, skipped) {
      const folder = failedFolder(out);
      try {
        await writeCheckpoint(prepared, run, { files, folder }, skipped);
      } catch {
        return error; // the first error says what to mend
      }
      return new HeddleError(msg`${error.template} (the checkpoint is in ${folder})`, {
        kind: error.kind,
        area: error.area,
        cause: error,
      });
    },
    onSaved: (step) => emit({ type: 'checkpoint', step }),
    onFailed: (error) =>
      emit({
        type: 'warning',
        text: msg`The checkpoint was not saved; training continues: ${reasonOf(error)}`,
        unsaved: true,
      }),
    isWanted: () => gate?.wantsCheckpoint() ?? false,
    memory: snapshots,
  });
}

/** Caches the encoded pairs of a run, once; a failure is a warning. */
async function cachePairs(prepared: PreparedRun, emit: TrainingSession['emit']): Promise<void> {
  try {
    await prepared.cache();
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    emit({
      type: 'warning',
      text: msg`the token ids are not cached; a resumed run tokenizes again: ${reasonOf(error)}`,
    });
  }
}

/** Position in the data of update `step`: its epoch, and its first batch in the epoch, both from 0. */
export function positionOf(step: number, gradientAccumulationSteps: number, perEpoch: number) {
  const firstBatch = step * gradientAccumulationSteps;
  return { step, epoch: Math.floor(firstBatch / perEpoch), batch: firstBatch % perEpoch };
}

/** The parts of a run that a checkpoint saves. */
export interface RunParts {
  readonly engine: Engine;
  readonly trainer: Trainer;
  readonly weights: TrainedWeights;
  readonly best: BestModel;
  readonly logbook: Logbook;
  readonly changes: ChangeList;
  readonly stages: RunningStages | undefined;
  /** Saves the model, without the training state, as the result of the run. */
  saveModel(place: CheckpointFolder): Promise<void>;
}

/**
 * Writes the model and the training state into a folder, all or nothing. `skipped`: number of skipped
 * updates.
 */
async function writeCheckpoint(
  { args, keep, fingerprint, data, update, steps, runId }: PreparedRun,
  { engine, trainer, weights, best, logbook, changes, stages }: RunParts,
  place: CheckpointFolder,
  skipped: number,
): Promise<void> {
  const { trainable } = trainer;
  const model = best.weights ?? (await weights.read());
  const state = {
    ...positionOf(trainer.step, args.gradientAccumulationSteps, data.batches.order.perEpoch),
    steps,
    skipped,
    seed: args.seed,
    schedule: trainer.schedule,
    data: fingerprint,
    arguments: { ...args, changes: changes.text || args.changes },
    best: best.kept,
    stages: stages?.state,
  };
  const training = (await engine.read(trainable.state)).data as Float32Array;
  const buffers: Record<string, Float32Array> = {};
  // The model has other weights than the training if it is a moving average, or comes from an earlier
  // evaluation.
  if (training.some((x, i) => x !== model[i])) buffers[checkpointWeights.running] = training;
  if (best.earlier) buffers[checkpointWeights.best] = best.earlier;
  const extra = await checkpointFiles(engine, trainable, update.optimizer, state, buffers);
  await weights.save(place, model, { ...extra, ...(await logbook.files()), ...keep }, runId);
}

/** What a WeightKeeper needs of the set-up of a run. */
type WeightKeeperOptions = Pick<PreparedRun, 'runId' | 'replacedRunId'> & {
  readonly args: Pick<CompleteArguments, 'out' | 'keepLast'>;
};

/**
 * Saves the weights of updates in folders `OUT.step-STEP` next to the model folder `out`, and removes all but
 * the last `keepLast` of these folders, including those of earlier sessions.
 */
class WeightKeeper {
  readonly #files: Files;
  readonly #keepLast: number;
  readonly #runId: string;
  readonly #replacedRunId: string | undefined;
  readonly #weights: TrainedWeights;
  /** The model folder, and `.zip` if it is an archive. */
  readonly #base: string;
  readonly #ending: string;
  /** Steps of the folders; undefined until they are listed. */
  #steps: number[] | undefined;

  constructor(
    files: Files,
    { args: { out, keepLast }, runId, replacedRunId }: WeightKeeperOptions,
    weights: TrainedWeights,
  ) {
    this.#runId = runId;
    this.#replacedRunId = replacedRunId;
    this.#files = files;
    this.#keepLast = keepLast;
    this.#weights = weights;
    const isArchive = out.toLowerCase().endsWith('.zip');
    this.#base = isArchive ? out.slice(0, -'.zip'.length) : out;
    this.#ending = out.slice(this.#base.length);
  }

  /** Saves the weights of an update. */
  async save(step: number): Promise<void> {
    this.#steps ??= await this.#savedSteps();
    if (this.#keepLast === 0) return;
    const place = { files: this.#files, folder: this.#folderOf(step) };
    await this.#weights.save(place, await this.#weights.read(), {}, this.#runId);
    const kept = [...this.#steps.filter((other) => other !== step), step].sort((a, b) => a - b);
    for (const old of kept.splice(0, Math.max(0, kept.length - this.#keepLast)))
      await removeOwnFolder(this.#files, this.#folderOf(old));
    this.#steps = kept;
  }

  #folderOf(step: number): string {
    return `${this.#base}.step-${step}${this.#ending}`;
  }

  /** The steps of the folders of earlier sessions. Removes the folders of the run that this one replaces, and unfinished ones. */
  async #savedSteps(): Promise<number[]> {
    const own: number[] = [];
    for (const step of await this.#listedSteps()) {
      const folder = this.#folderOf(step);
      const run = (await readManifest(this.#files, folder))?.run;
      if (run === this.#runId) own.push(step);
      // A folder without a file is one that a killed run has not finished.
      else if (
        (run !== undefined && run === this.#replacedRunId) ||
        (await ownFileNames(this.#files, folder)).length === 0
      )
        await removeOwnFolder(this.#files, folder);
    }
    return own;
  }

  /** The steps of all folders with the name of the model folder. */
  async #listedSteps(): Promise<number[]> {
    const entries = await this.#files.list(folderPart(this.#base) || '.').catch(() => []);
    const before = `${baseName(this.#base)}.step-`;
    return entries.flatMap((entry) => {
      const step = Number(entry.slice(before.length, entry.length - this.#ending.length));
      return entry === `${before}${step}${this.#ending}` && Number.isInteger(step) ? [step] : [];
    });
  }
}
