// The jobs by name, so that a page can be told which one to run.

import { bench } from '../jobs/bench-job.ts';
import { convert } from '../jobs/convert-job.ts';
import { evaluate } from '../jobs/evaluate-job.ts';
import { info } from '../jobs/info-job.ts';
import { plan } from '../jobs/plan-job.ts';
import { profile } from '../jobs/profile-job.ts';
import { pull } from '../jobs/pull-job.ts';
import { translate } from '../jobs/translate-job.ts';
import { tune } from '../jobs/tune-job.ts';
import { verify } from '../jobs/verify/verify-job.ts';
import type { Job } from '../runtime/job.ts';
import { runTraining } from '../train/recovery.ts';

/** Every job that a host can run. */
export const jobs = {
  bench,
  convert,
  evaluate,
  info,
  plan,
  profile,
  pull,
  train: runTraining,
  translate,
  tune,
  verify,
};

/** Name of a job. */
export type JobName = keyof typeof jobs;

/** What a job takes. */
export type ArgumentsOf<N extends JobName> = (typeof jobs)[N] extends Job<infer A, unknown> ? A : never;

/** What a job gives. */
export type ResultOf<N extends JobName> = (typeof jobs)[N] extends Job<never, infer R> ? R : never;
