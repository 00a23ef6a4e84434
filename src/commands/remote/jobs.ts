// Jobs by name. The modules of a job are loaded when it runs, so a command loads only its own.

import type { Job } from '../../session/job.ts';
import type { TrainingEvent } from '../../train/report/training-events.ts';

/** Functions that load the jobs. */
const loaders = {
  align: async () => (await import('../jobs/align-job.ts')).align,
  average: async () => (await import('../jobs/average-job.ts')).average,
  bench: async () => (await import('../jobs/bench-job.ts')).bench,
  conformance: async () => (await import('../../bench/conformance-check.ts')).checkConformance,
  convert: async () => (await import('../jobs/convert-job.ts')).convert,
  distill: async () => (await import('../jobs/distill-job.ts')).distill,
  evaluate: async () => (await import('../jobs/evaluate-job.ts')).evaluate,
  evaluateOutputs: async () => (await import('../jobs/evaluate-job.ts')).evaluateOutputs,
  info: async () => (await import('../jobs/info-job.ts')).info,
  plan: async () => (await import('../jobs/plan-job.ts')).plan,
  profile: async () => (await import('../jobs/profile-job.ts')).profile,
  pull: async () => (await import('../jobs/pull-job.ts')).pull,
  runs: async () => (await import('../jobs/runs-job.ts')).runs,
  score: async () => (await import('../jobs/evaluate-job.ts')).score,
  tokenizer: async () => (await import('../jobs/tokenizer-job.ts')).tokenizer,
  train: async () => (await import('../jobs/train-job.ts')).train,
  transcribe: async () => (await import('../jobs/transcribe-job.ts')).transcribe,
  translateDocument: async () => (await import('../jobs/document-job.ts')).translateFile,
  translate: async () => (await import('../jobs/translate-job.ts')).translate,
  tune: async () => (await import('../jobs/tune-job.ts')).tune,
  verify: async () => (await import('../jobs/verify/verify-job.ts')).verify,
};

/** Name of a job. */
export type JobName = keyof typeof loaders;

type JobOf<N extends JobName> = Awaited<ReturnType<(typeof loaders)[N]>>;

/** Type of the arguments of a job. */
export type ArgumentsOf<N extends JobName> =
  JobOf<N> extends Job<infer A, unknown, TrainingEvent> ? A : never;

/** Type of the result of a job. */
export type ResultOf<N extends JobName> = JobOf<N> extends Job<never, infer R, TrainingEvent> ? R : never;

/** The job of this name. */
export const loadJob = async <N extends JobName>(
  name: N,
): Promise<Job<ArgumentsOf<N>, ResultOf<N>, TrainingEvent>> =>
  (await loaders[name]()) as unknown as Job<ArgumentsOf<N>, ResultOf<N>, TrainingEvent>;
