// The jobs by name, so that a page can be told which one to run.

import { bench } from './bench.ts';
import { convert } from './convert.ts';
import { evaluate } from './evaluate.ts';
import { info } from './info.ts';
import type { Job } from './job.ts';
import { plan } from './plan.ts';
import { profile } from './profile.ts';
import { pull } from './pull.ts';
import { recoveringTrain } from './recover.ts';
import { translate } from './translate.ts';
import { tune } from './tune.ts';
import { verify } from './verify.ts';

/** Every job that a host can run. */
export const jobs = {
  bench,
  convert,
  evaluate,
  info,
  plan,
  profile,
  pull,
  train: recoveringTrain,
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
