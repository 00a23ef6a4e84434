// The training by hand of the page Learn; loaded at its first use.

import type { Model, Pair } from '../../../src/index.ts';
import { HandTraining, type HandUpdate, type WeightPlace } from '../../../src/pages.ts';
import type { HandStart } from '../protocol.ts';

let training: HandTraining | undefined;

/** Starts with a copy of the weights of a model; replaces the training before. */
export async function startByHand(model: Model, pair: Pair): Promise<HandStart> {
  training = await HandTraining.open(model, pair);
  return { matrices: training.matrices, now: training.now };
}

/** Does an update; see `HandTraining.update`. */
export function updateByHand(place: WeightPlace, rate: number, warmupSteps: number): HandUpdate {
  if (!training) throw new Error('no training by hand has started');
  return training.update(place, rate, warmupSteps);
}
