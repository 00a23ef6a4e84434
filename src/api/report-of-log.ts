// The HTML report of a training log.

import type { LogRecord } from '../train/report/training-log.ts';
import { trainingReport as reportOf } from '../train/report/training-report.ts';

/**
 * Makes the HTML report of a log: one page without other files, with curves, settings and samples.
 *
 * @example
 * const html = await trainingReport(await readTrainingLog('out'));
 */
export async function trainingReport(records: readonly LogRecord[]): Promise<string> {
  return reportOf(records);
}
