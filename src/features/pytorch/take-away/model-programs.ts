// A model as two programs to take away from a page: one of heddle, one of PyTorch.

import type { Model } from '../../../api/model.ts';
import { originOf } from '../../../api/model.ts';
import type { Pair } from '../../../text/corpus/pairs.ts';
import type { TrainSettings } from '../../../train/settings/train-settings.ts';
import { takeAwayFiles } from './take-away-files.ts';

/**
 * The files of two programs, by path, that compute the loss of the pairs and some updates with a model: program.js with
 * heddle, program.py with PyTorch. Throws a HeddleError if PyTorch's program does not support the model, or if no pair
 * fits it. `library`: see `TakenAway`.
 */
export async function takeAway(
  model: Model,
  name: string,
  pairs: readonly Pair[],
  settings: TrainSettings,
  library: Uint8Array,
): Promise<Readonly<Record<string, Uint8Array>>> {
  return takeAwayFiles({ name, model: await originOf(model).saved(), pairs, settings, library });
}
