// The metrics of the dev pairs, and how they select the best weights. A new metric is a row here and in
// metric-columns.ts, its field in LogEval (training-log.ts), and what computes it (run/evaluation.ts).

/** How a metric is compared. */
export interface DevMetric {
  /** Whether less is better. */
  readonly isError?: boolean;
  /** Whether it needs translations of dev sentences. */
  readonly isOfTexts?: boolean;
}

/** The metrics by their names, in the order of tables. */
export const devMetrics = {
  loss: { isError: true },
  perplexity: { isError: true },
  tokenAccuracy: {},
  bleu: { isOfTexts: true },
  chrf: { isOfTexts: true },
  exactMatch: { isOfTexts: true },
  wer: { isError: true, isOfTexts: true },
  cer: { isError: true, isOfTexts: true },
} as const satisfies Readonly<Record<string, DevMetric>>;

/** Dev metrics by which the best weights are selected. */
export type BestMetric = keyof typeof devMetrics;

/** Names of the metrics. */
export const bestMetrics = Object.keys(devMetrics) as readonly BestMetric[];
