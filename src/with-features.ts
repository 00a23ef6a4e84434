// The functions of the library that open a model or a run. They bring all guests: the code of a guest is loaded when a
// folder, a setting or a source needs it.

import type { GivenPairs } from './api/given-inputs.ts';
import { loadModel as loadWith } from './api/load-model.ts';
import type { LoadOptions } from './api/load-options.ts';
import type { Model } from './api/model.ts';
import {
  type PlanTrainingOptions,
  planTraining as planWith,
  type TrainingForecast,
} from './api/plan-training.ts';
import { type TrainOptions, train as trainWith } from './api/train.ts';
import { features } from './features/features.ts';
import type { FolderSource } from './files/given-files.ts';

/**
 * Trains a model on pairs, or on clips of speech with their texts, or fine-tunes `from`. Instead of pairs it accepts
 * a file as a `File` or `Blob` (TSV, or the format of its name: CSV, JSON lines, TMX, XLIFF, PO, MO), or a corpus:
 * files of pairs, also with weights and in stages (`{ data: { 'clean.tsv': 0.8, 'bt.tsv': 0.2 } }`), pairs generated
 * from Unicode CLDR, or a built-in task. All files of the arguments may be File or Blob objects. Throws a
 * HeddleError for an invalid option or pair, and if training diverges (docs/training.md): the loss stays NaN or
 * infinite. `signal` stops it: an AbortError before the first step, the model so far after it.
 * @example
 * const model = await train(pairs, { steps: 800, dev, onStep: ({ step, loss }) => console.log(step, loss) });
 * console.log(await model.translate('The tree is 59 yards tall.'));
 * @example
 * const bart = await loadModel('facebook/bart-base');
 * const tuned = await train(pairs, { from: bart, lora: { rank: 8 }, checkpoint: 'ck', patience: 3, dev, signal });
 */
export const train = (given: GivenPairs, options: TrainOptions = {}): Promise<Model> =>
  trainWith(given, options, features);

/**
 * Plans the training of `train` with the same pairs and options: tokenizes the pairs and plans a step on the
 * device, without running it. Throws a HeddleError for an invalid option, like `train`. If the training does
 * not fit the device, `fits` is false.
 * @example
 * const { parameters, steps, planned, fits, reason } = await planTraining(pairs, { preset: 'small', batchSize: 64 });
 * console.log(fits ? `${parameters} parameters, ${steps} steps, ${planned.peak} bytes` : reason);
 */
export const planTraining = (
  given: GivenPairs,
  options: PlanTrainingOptions = {},
): Promise<TrainingForecast> => planWith(given, options, features);

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
  loadWith(where, options, features);
