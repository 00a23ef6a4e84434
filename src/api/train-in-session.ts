// A training run in a session, whose result is plain JSON: the job of `heddle train`. The model is in the output folder.

import type { Job } from '../session/job.ts';
import type { TrainingEvent } from '../train/report/training-events.ts';
import { runTraining } from '../train/run/recovery.ts';
import type { TrainResult } from '../train/run/train-result.ts';
import type { TrainArguments } from '../train/settings/train-arguments.ts';
import { checkForecast } from './memory-needs.ts';
import { planTraining } from './plan-training.ts';

/**
 * Trains a model and returns the result; see `runTraining`. A new training that needs more than the memory budget is an
 * error before it starts; it names settings that fit.
 */
export const trainInSession: Job<TrainArguments, TrainResult, TrainingEvent> = async (args, session) => {
  const { memoryBudget, files } = session;
  if (memoryBudget !== undefined && !args.resume) {
    const { corpus, out: _, resume: __, ...settings } = args;
    const device = await session.device.open();
    checkForecast(await planTraining(corpus, { ...settings, files, device, memoryBudget }, session.features));
  }
  return (await runTraining(args, session)).result;
};
