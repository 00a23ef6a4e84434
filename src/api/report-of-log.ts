// The HTML report of a training log.

import type { Metric } from '../text/metrics/metric.ts';
import type { LogRecord } from '../train/report/training-log.ts';
import { trainingReport as reportOf } from '../train/report/training-report.ts';

/** `trainingReport` of the library. `metrics`: those of evaluations. */
export async function trainingReport(
  records: readonly LogRecord[],
  metrics?: readonly Metric[],
): Promise<string> {
  return reportOf(records, metrics);
}
