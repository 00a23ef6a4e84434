// `train` of the library: it brings all guests. The code of a guest is loaded when a setting or a source needs it.

import type { GivenPairs as PlainPairs } from '../api/given-inputs.ts';
import type { Model } from '../api/model.ts';
import { train as trainWith } from '../api/train.ts';
import type { ModelInTraining, TrainOptions as PlainOptions } from '../api/train-options.ts';
import { features } from '../features/features.ts';
import type { GuestClips, GuestOptions, GuestPairs } from '../features/guest-types.ts';

/** Pairs, a generator of pairs, a file of pairs, or a corpus. */
export type GivenPairs = PlainPairs | GuestPairs;

/** The same, or clips. */
export type GivenClips = GivenPairs | GuestClips;

/** Options of `train`: the settings in docs/settings.md, and the following. */
export interface TrainOptions<M = ModelInTraining> extends PlainOptions<M>, GuestOptions {}

/**
 * Trains a model on pairs, or fine-tunes `from`. Instead of a list of pairs it accepts a
 * generator of pairs, whose pairs it reads before the training; a file as a `File` or `Blob` (TSV, or the format of its name: CSV, JSON lines, TMX, XLIFF, PO, MO), or a corpus:
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
