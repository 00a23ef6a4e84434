// `planTraining` of the library: it brings all guests, as `train` does.

import {
  type PlanTrainingOptions as PlainPlanOptions,
  planTraining as planWith,
  type TrainingForecast,
} from '../api/plan-training.ts';
import { withCallbacks } from '../core/callbacks.ts';
import { features } from '../features/features.ts';
import type { GuestOptions } from '../features/guest-types.ts';
import type { GivenClips } from './train-with-features.ts';

/** Options of `planTraining`: those of `train` that determine data, model and memory; the others are ignored. */
export type PlanTrainingOptions = PlainPlanOptions & GuestOptions;

/**
 * Plans the training of `train` with the same pairs and options: tokenizes the pairs and plans a step on the
 * device, without running it. Throws a HeddleError for an invalid option, like `train`. If the training does
 * not fit the device, `fits` is false.
 * @example
 * const { parameters, steps, planned, fits, reason } = await planTraining(pairs, { preset: 'small', batchSize: 64 });
 * console.log(fits ? `${parameters} parameters, ${steps} steps, ${planned.peak} bytes` : reason);
 */
export const planTraining = (
  given: GivenClips,
  options: PlanTrainingOptions = {},
): Promise<TrainingForecast> => withCallbacks(options, (watched) => planWith(given, watched, features));
