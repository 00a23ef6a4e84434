// What the library reads and writes of files beside `loadModel`: it brings all guests. The code of a guest is loaded
// when a file, a folder or the name of a model needs it.

import type { PullOptions } from '../api/hub-models.ts';
import {
  importModel as importWith,
  type ModelFacts,
  pullModel as pullWith,
  readModelFacts as readFactsWith,
} from '../api/model-files.ts';
import { type ReadPairsOptions, readPairs as readPairsWith } from '../api/read-pairs.ts';
import { withCallbacks } from '../core/callbacks.ts';
import { features } from '../features/features.ts';
import type { FileSource, FolderSource } from '../files/given-files.ts';
import type { PulledModel } from '../files/hub/pull-model.ts';
import type { ModelPlace } from '../session/host.ts';
import { corpusToTsv as corpusToTsvWith } from '../text/corpus/corpus-to-tsv.ts';
import type { Pair } from '../text/corpus/pairs.ts';

/**
 * Stores the model of a .zip archive or safetensors file, or of the files of a folder, under a name, with its
 * checkpoint; an existing model is replaced. A model of Marian or Firefox is stored in heddle's format. Throws a
 * HeddleError, and stores nothing, if the model cannot be loaded.
 *
 * @example
 * await importModel(file, 'en-es');
 */
export const importModel = (
  file: Blob | readonly File[],
  name: string,
  place: ModelPlace = {},
): Promise<void> => importWith(file, name, place, features);

/**
 * Downloads `OWNER/NAME` or `OWNER/NAME@REVISION` from the hub, or the model of a pair of languages such as `en-es` of
 * Firefox Translations, and stores it under a name; an existing model is replaced when the download is complete. A call
 * after an interruption continues the download. A model of the hub that needs more than `memoryBudget` is an error of
 * kind `memory` before its weights are downloaded. Throws a HeddleError that says what to do, or the signal's reason.
 *
 * @example
 * await pullModel('Helsinki-NLP/opus-mt-en-es', 'en-es', {
 *   onDownload: ({ loaded, total }) => console.log(loaded / total),
 * });
 */
export const pullModel = (model: string, name: string, options: PullOptions = {}): Promise<PulledModel> =>
  withCallbacks(options, (watched) => pullWith(model, name, watched, features));

/**
 * Reads the pairs of a file: a path, a File or a Blob, in TSV or the format of its name (CSV, JSON lines, TMX, XLIFF,
 * PO, MO), also gzipped. Throws a HeddleError that names the file if it has no pair.
 * @example
 * const { bleu } = await model.evaluate(await readPairs('test.tsv'));
 */
export const readPairs = (file: FileSource, options: ReadPairsOptions = {}): Promise<Pair[]> =>
  withCallbacks(options, (watched) => readPairsWith(file, watched, features));

/**
 * Reads the configuration of a saved model of heddle or Hugging Face, not its weights: by its name, or in a File,
 * Blob or the files of its folder. Throws a HeddleError that names the file and the field if it is missing or not
 * supported.
 *
 * @example
 * const { config, parameters } = await readModelFacts('out');
 * console.log(config.dModel, parameters);
 */
export const readModelFacts = (model: FolderSource, place: ModelPlace = {}): Promise<ModelFacts> =>
  readFactsWith(model, place, features);

/**
 * Converts a file of pairs to TSV: by its name TMX, XLIFF, PO or MO, else CSV if `isCsv`. Throws a HeddleError that starts
 * with `name` if it cannot be read.
 */
export const corpusToTsv = (bytes: Uint8Array, name: string, isCsv: boolean): Promise<Uint8Array> =>
  corpusToTsvWith(bytes, name, isCsv, features.pairReaders);
