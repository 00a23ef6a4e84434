// The code of the worker that plans, starts and lists trainings. The worker loads it at its first use: a page that
// translates does without.

export { corpusArguments, corpusBytes, describeTraining } from './describe-training.ts';
export { evaluateRuns } from './evaluate-runs.ts';
export { readHistory, readRuns } from './run-history.ts';
export { RunEndedError, startTraining } from './worker-run.ts';
