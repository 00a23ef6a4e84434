// The job of `heddle train`: a training run, whose result is plain JSON. The model is in the output folder.

import type { Job } from '../../session/job.ts';
import type { TrainingEvent } from '../../train/report/training-events.ts';
import { runTraining } from '../../train/run/recovery.ts';
import type { TrainResult } from '../../train/run/train-result.ts';
import type { TrainArguments } from '../../train/settings/train-arguments.ts';

/** Trains a model and returns the result; see `runTraining`. */
export const train: Job<TrainArguments, TrainResult, TrainingEvent> = async (args, session) =>
  (await runTraining(args, session)).result;
