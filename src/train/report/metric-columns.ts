// The columns of tables with dev metrics.

import { formatPercent } from '../../core/format-numbers.ts';
import type { BestMetric } from './dev-metrics.ts';

/** The column of a metric: its heading, and the format of its values. */
export interface MetricColumn {
  readonly head: string;
  readonly show: (value: number) => string;
}

const twoDecimals = (x: number): string => x.toFixed(2);

/** The columns by metric. */
export const metricColumns: Readonly<Record<BestMetric, MetricColumn>> = {
  loss: { head: 'dev loss', show: (x) => x.toFixed(4) },
  perplexity: { head: 'perplexity', show: (x) => x.toPrecision(4) },
  tokenAccuracy: { head: 'accuracy', show: formatPercent },
  bleu: { head: 'BLEU', show: twoDecimals },
  chrf: { head: 'chrF2', show: twoDecimals },
  exactMatch: { head: 'exact', show: formatPercent },
  wer: { head: 'WER', show: formatPercent },
  cer: { head: 'CER', show: formatPercent },
};
