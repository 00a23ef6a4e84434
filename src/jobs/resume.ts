// How heddle train goes on from a checkpoint: with which arguments, and what goes back on the engine.

import type { Engine } from '../engine.ts';
import { restoreOptimizer, type TrainingState } from '../train/checkpoint.ts';
import type { Trainer } from '../train/trainer.ts';
import type { Tuned } from '../train/tuned.ts';
import type { BestState } from './best.ts';
import type { Place } from './keeper.ts';
import type { TrainArguments } from './train.ts';
import type { Trained } from './trained.ts';

/** The arguments that a checkpoint was made with, and from the new ones what may change. */
export function resumed(before: TrainingState, given: TrainArguments): TrainArguments {
  const { out, steps, epochs, evalEvery, devSentences, testSentences, saveEvery, metric, patience } = given;
  const { checkFinite = false, saveSeconds } = given;
  return {
    ...(before.arguments as TrainArguments),
    out,
    ...(steps && { steps }),
    ...(epochs && { epochs }),
    evalEvery,
    devSentences,
    testSentences,
    saveEvery,
    ...(saveSeconds !== undefined && { saveSeconds }),
    metric,
    patience,
    checkFinite,
    resume: true,
  };
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
  { state }: Pick<Tuned, 'state'>,
  model: Float32Array,
  outdone: Float32Array | undefined,
): Promise<Record<string, Float32Array>> {
  const training = (await engine.read(state)).data as Float32Array;
  return {
    ...(training.some((x, i) => x !== model[i]) && { [running]: training }),
    ...(outdone && { [best]: outdone }),
  };
}

/** Puts a checkpoint on the engine; gives the best weights that it kept. */
export async function restore(
  engine: Engine,
  trainer: Trainer,
  trained: Trained,
  place: Place,
  before: TrainingState,
): Promise<{ state: BestState; weights: Float32Array } | undefined> {
  const weights = await trained.load(place);
  const { tuned, recipe } = trainer;
  const bank = await restoreOptimizer(engine, place.files, place.folder, tuned, recipe.optimizer);
  engine.write(tuned.state, bank(running) ?? weights);
  trainer.step = before.step;
  const state = before.best as BestState | undefined;
  return state && { state, weights: bank(best) ?? weights };
}
