// Loads a model of any kind. Most models are of text; the code of others is loaded for a model that needs it.

import { errorKind, type LoadOptions, loadModel } from '../../../src/entries/heddle.ts';
import { type AnyModel, trainGuests } from '../guests/train-guests.ts';

/** Loads a model. Rejects as `loadModel`. */
export async function loadAnyModel(where: string | File, options: LoadOptions = {}): Promise<AnyModel> {
  try {
    return await loadModel(where, options);
  } catch (error) {
    const others = errorKind(error) === 'unsupported' ? await trainGuests.otherModels?.() : undefined;
    if (!others) throw error;
    return others.loadAnyModel(where, options);
  }
}
