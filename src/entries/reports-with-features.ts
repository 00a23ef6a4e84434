// Reports of the library: they know the metrics of all guests.

import { trainingReport as reportOf } from '../api/report-of-log.ts';
import {
  runMetrics as metricsOf,
  type RunSummary,
  summarizeRuns as summaryOf,
} from '../api/run-summaries.ts';
import { features } from '../features/features.ts';
import { allMetrics } from '../text/metrics/main-metrics.ts';
import type { Metric } from '../text/metrics/metric.ts';
import type { LogRecord } from '../train/report/training-log.ts';

const metrics = allMetrics(features.metrics);

/**
 * Makes the HTML report of a log: one page without other files, with curves, settings and samples.
 *
 * @example
 * const html = await trainingReport(await readTrainingLog('out'));
 */
export const trainingReport = (records: readonly LogRecord[]): Promise<string> => reportOf(records, metrics);

/** Summarizes runs from the records of their logs. Throws a HeddleError if a log has no start. */
export const summarizeRuns = (
  logs: readonly { readonly folder: string; readonly records: readonly LogRecord[] }[],
): RunSummary[] => summaryOf(logs, metrics);

/** The dev metrics that at least one of the runs has. */
export const runMetrics = (runs: readonly RunSummary[]): readonly Metric[] => metricsOf(runs, metrics);
