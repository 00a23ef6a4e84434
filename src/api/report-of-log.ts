// The HTML report of a training log, whose code is loaded on demand.

import type { LogRecord } from '../train/report/training-log.ts';

/**
 * Makes the HTML report of a log: one page without other files, with curves, settings and samples.
 *
 * @example
 * const html = await trainingReport(await readTrainingLog('out'));
 */
export async function trainingReport(records: readonly LogRecord[]): Promise<string> {
  const report = await import('../train/report/training-report.ts');
  return report.trainingReport(records);
}
