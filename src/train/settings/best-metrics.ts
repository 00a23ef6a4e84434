// Metrics of the dev pairs that can select the best weights.

/** Dev metrics by which the best weights are selected. */
export const bestMetrics = [
  'loss',
  'perplexity',
  'tokenAccuracy',
  'bleu',
  'chrf',
  'exactMatch',
  'wer',
  'cer',
] as const;
/** Name of a metric. */
export type BestMetric = (typeof bestMetrics)[number];
