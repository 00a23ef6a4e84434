// Checkpoints of heddle train: what goes into one, with which arguments a training goes on from it, and what goes back on the engine.

import type { Engine } from '../engine/engine.ts';
import type { TrainableParameters } from '../trainer/trainable-parameters.ts';
import type { Trainer } from '../trainer/trainer.ts';
import { checkpointFiles, restoreOptimizer, type TrainingState } from '../trainer/training-state.ts';
import type { CheckpointFolder } from './checkpointer.ts';
import type { Logbook } from './logging.ts';
import type { BestModel, BestState } from './selection.ts';
import type { Setup } from './setup.ts';
import type { TrainedWeights } from './trained-model.ts';

/** Where the next update's data stand: `batch` is the number of its first batch in the epoch, both from 0. */
export function positionOf(step: number, accumulate: number, perEpoch: number) {
  const turn = step * accumulate;
  return { step, epoch: Math.floor(turn / perEpoch), batch: turn % perEpoch };
}

/** Names of the banks that a checkpoint may have beside the optimizer's states. */
const running = 'running';
const best = 'best';

/** Banks that a checkpoint needs where its model is not what training goes on from, and where a better end outdid the kept weights. */
export async function banksBeside(
  engine: Engine,
  { state }: Pick<TrainableParameters, 'state'>,
  model: Float32Array,
  outdone: Float32Array | undefined,
): Promise<Record<string, Float32Array>> {
  const training = (await engine.read(state)).data as Float32Array;
  return {
    ...(training.some((x, i) => x !== model[i]) && { [running]: training }),
    ...(outdone && { [best]: outdone }),
  };
}

/** A training as a checkpoint sees it. */
export interface Running {
  readonly engine: Engine;
  readonly trainer: Trainer;
  readonly trained: TrainedWeights;
  readonly best: BestModel;
  readonly logbook: Logbook;
}

/** Writes the model so far and all that training needs to go on, as a whole; `skipped`: updates left out so far. */
export async function writeCheckpoint(
  { args, keep, data, task, recipe, steps }: Setup,
  { engine, trainer, trained, best, logbook }: Running,
  place: CheckpointFolder,
  skipped: number,
): Promise<void> {
  const { trainable } = trainer;
  const bank = best.weights() ?? (await trained.read());
  const state = {
    ...positionOf(trainer.step, args.gradientAccumulationSteps, task.batches.perEpoch),
    steps,
    skipped,
    seed: args.seed,
    schedule: recipe.schedule,
    data,
    arguments: args,
    ...(best.kept && { best: best.kept }),
  };
  const banks = await banksBeside(engine, trainable, bank, best.outdone());
  const extra = await checkpointFiles(engine, trainable, recipe.optimizer, state, banks);
  await trained.save(place, bank, { ...extra, ...logbook.files(), ...keep });
}

/** Puts a checkpoint on the engine; gives the best weights that it kept. */
export async function restore(
  engine: Engine,
  trainer: Trainer,
  trained: TrainedWeights,
  place: CheckpointFolder,
  before: TrainingState,
): Promise<{ state: BestState; weights: Float32Array } | undefined> {
  const weights = await trained.load(place);
  const { trainable, recipe } = trainer;
  const bank = await restoreOptimizer(engine, place.files, place.folder, trainable, recipe.optimizer);
  engine.write(trainable.state, bank(running) ?? weights);
  trainer.step = before.step;
  const state = before.best as BestState | undefined;
  return state && { state, weights: bank(best) ?? weights };
}
