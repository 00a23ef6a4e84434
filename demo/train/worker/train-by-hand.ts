// What the page Learn shows of training: updates by hand, and batches. Loaded at its first use.

import { msg } from '../../../src/core/message.ts';
import { intlCorpus } from '../../../src/entries/data.ts';
import { HeddleError, type Model, type Pair } from '../../../src/entries/heddle.ts';
import { HandTraining, type HandUpdate, type WeightPlace } from '../../toys/hand-training.ts';
import { type Neighbour, neighboursOf } from '../../toys/neighbours.ts';
import { type PreviewedBatch, previewBatches } from '../../toys/preview-batches.ts';
import type { HandStart, PreviewCorpus, PreviewOptions } from '../protocol.ts';

let training: HandTraining | undefined;

/** Starts with a copy of the weights of a model; replaces the training before. */
export async function startByHand(model: Model, pair: Pair): Promise<HandStart> {
  training = await HandTraining.open(model, pair);
  return { matrices: training.matrices, now: training.now };
}

/** Does an update; see `HandTraining.update`. */
export function updateByHand(place: WeightPlace, rate: number, warmupSteps: number): HandUpdate {
  if (!training) throw new HeddleError(msg`no training by hand has started`);
  return training.update(place, rate, warmupSteps);
}

/** The tokens whose embeddings are nearest to that of a source token. */
export const nearestTokens = (model: Model, id: number, count: number): Neighbour[] =>
  neighboursOf(model, id, count);

/** Batches of a few pairs of the built-in corpus. */
export const batchesOf = (model: Model, corpus: PreviewCorpus, options: PreviewOptions): PreviewedBatch[] =>
  previewBatches(model, intlCorpus({ ...corpus, seed: 1 }), options);
