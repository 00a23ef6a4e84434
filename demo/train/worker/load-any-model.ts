// Loads a model of any kind. Most models are of text; the code of speech and lines is loaded for a model that needs it.

import { errorKind, type LoadOptions, loadModel } from '../../../src/entries/heddle.ts';
import type { AnyModel } from '../../../src/entries/speech.ts';

/** Loads a model of text, speech or lines. Rejects as `loadModel`. */
export async function loadAnyModel(where: string | File, options: LoadOptions = {}): Promise<AnyModel> {
  try {
    return await loadModel(where, options);
  } catch (error) {
    if (errorKind(error) !== 'unsupported') throw error;
    return (await import('./training-code.ts')).loadOtherModel(where, options);
  }
}
