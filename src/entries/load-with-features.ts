// `loadModel` of the library: it brings all guests. The code of a guest is loaded when a folder needs it.

import { loadModel as loadWith } from '../api/load-model.ts';
import type { LoadOptions } from '../api/load-options.ts';
import type { Model } from '../api/model.ts';
import { modelFeatures } from '../features/features.ts';
import type { FolderSource } from '../files/given-files.ts';

/**
 * Loads a model of heddle (also one saved for PyTorch or Keras), or an encoder-decoder of Hugging Face (BART,
 * MarianMT, mBART, M2M100, Pegasus, T5, mT5), or a model of Marian or Firefox Translations. The argument is
 *
 * - `OWNER/NAME`, a model on the hub, which is downloaded once and cached;
 * - in Node the path of a folder, a .zip or a .safetensors file;
 * - in a page a name in the browser's storage;
 * - the URL of a folder, a .zip or a .safetensors file; or such a file as a File or Blob;
 * - the files of a folder, as File objects.
 *
 * Throws a HeddleError if there is no such model, or it is invalid or not supported, and the signal's reason if
 * it is aborted.
 * @example
 * const bart = await loadModel('facebook/bart-base');
 * const mine = await loadModel('out', { weights: 'int8' });
 */
export const loadModel = (where: FolderSource, options: LoadOptions = {}): Promise<Model> =>
  loadWith(where, options, modelFeatures);
