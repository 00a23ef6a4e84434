// The job of `heddle runs`: summaries of training runs.

import { type RunSummary, summarizeFolders } from '../../api/run-summaries.ts';
import type { Job } from '../../session/job.ts';
import { allMetrics } from '../../text/metrics/main-metrics.ts';

/** Arguments of the job; plain JSON. */
export interface RunsArguments {
  /** Model folders of training runs, or folders that contain them. */
  readonly folders: readonly string[];
}

/** See `summarizeFolders`. */
export const runs: Job<RunsArguments, RunSummary[]> = ({ folders }, { files, emit, features }) =>
  summarizeFolders(folders, files, (text) => emit({ type: 'warning', text }), allMetrics(features.metrics));
