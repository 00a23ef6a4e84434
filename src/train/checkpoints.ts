// Checkpoints of heddle train: what goes into one, with which arguments a training goes on from it, and what goes back on the engine.

import { check } from '../core/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { TrainableParameters } from '../trainer/trainable-parameters.ts';
import type { Trainer } from '../trainer/trainer.ts';
import { checkpointFiles, checkpointNames, restoreOptimizer, type TrainingState } from '../trainer/training-state.ts';
import type { CheckpointFolder } from './checkpointer.ts';
import type { Logbook } from './logging.ts';
import type { BestModel, BestState } from './selection.ts';
import type { TrainArguments } from './settings.ts';
import type { Setup } from './setup.ts';
import type { TrainedWeights } from './trained-model.ts';

/**
 * Arguments that may be new where a training goes on: how long it is, and how it is watched and saved. Files of pairs may lie elsewhere
 * than they did; all else is as it was started.
 */
export const resumable = [
  'steps',
  'epochs',
  'evalEvery',
  'devSentences',
  'testSentences',
  'saveEvery',
  'saveSeconds',
  'metric',
  'patience',
  'checkFinite',
] as const satisfies readonly (keyof TrainArguments)[];

/**
 * The arguments that a checkpoint was made with, and from the new ones what may change. Throws a HeddleError where the checkpoint has
 * none.
 */
export function resumed(before: TrainingState, given: TrainArguments): TrainArguments {
  const { out, steps, epochs, corpus } = given;
  const kept = startArguments(before, out);
  const anew = Object.fromEntries(resumable.map((name) => [name, given[name]])) as Pick<
    TrainArguments,
    (typeof resumable)[number]
  >;
  // Epochs count where there are no steps; where there is neither, training goes as far as it was to go.
  const length = steps > 0 ? { steps } : epochs > 0 ? { steps: 0 } : { steps: kept.steps, epochs: kept.epochs };
  const moved = kept.corpus.kind === 'tsv' && corpus.kind === 'tsv';
  return { ...kept, ...anew, ...length, corpus: moved ? corpus : kept.corpus, out, resume: true };
}

/** The arguments that the checkpoint in `folder` was made with. Throws a HeddleError where it has none. */
export function startArguments({ arguments: args }: TrainingState, folder: string): TrainArguments {
  check(
    typeof args === 'object' && args !== null && 'corpus' in args && 'schedule' in args,
    `${folder}: its ${checkpointNames.state} does not say with which arguments the training was started; train without --resume`,
  );
  return args as TrainArguments;
}

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
    ...positionOf(trainer.step, args.accumulate, task.batches.perEpoch),
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
