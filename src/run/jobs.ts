// Jobs by name.

import { average } from '../jobs/average-job.ts';
import { bench } from '../jobs/bench-job.ts';
import { conformance } from '../jobs/conformance-job.ts';
import { convert } from '../jobs/convert-job.ts';
import { distill } from '../jobs/distill-job.ts';
import { evaluate } from '../jobs/evaluate-job.ts';
import { info } from '../jobs/info-job.ts';
import { plan } from '../jobs/plan-job.ts';
import { profile } from '../jobs/profile-job.ts';
import { pull } from '../jobs/pull-job.ts';
import { runs } from '../jobs/runs-job.ts';
import { score } from '../jobs/score-job.ts';
import { translate } from '../jobs/translate-job.ts';
import { tune } from '../jobs/tune-job.ts';
import { verify } from '../jobs/verify/verify-job.ts';
import type { Job } from '../runtime/job.ts';
import { runTraining } from '../train/recovery.ts';

/** All jobs. */
export const jobs = {
  average,
  bench,
  conformance,
  convert,
  distill,
  evaluate,
  info,
  plan,
  profile,
  pull,
  runs,
  score,
  train: runTraining,
  translate,
  tune,
  verify,
};

/** Name of a job. */
export type JobName = keyof typeof jobs;

/** Type of the arguments of a job. */
export type ArgumentsOf<N extends JobName> = (typeof jobs)[N] extends Job<infer A, unknown> ? A : never;

/** Type of the result of a job. */
export type ResultOf<N extends JobName> = (typeof jobs)[N] extends Job<never, infer R> ? R : never;
