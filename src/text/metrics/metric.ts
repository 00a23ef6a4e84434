// A metric of a model: how it is computed, compared and shown. The metrics of the main house are in main-metrics.ts;
// guests bring others (`Features.metrics`). Logs, tables, reports and the choice of the best weights ask the rows.

import type { TokenSums } from './translation-metrics.ts';

/** What metrics of translations are computed from. */
export interface ScoredTranslations {
  readonly translations: readonly string[];
  /** References of each translation, the main one first. */
  readonly references: readonly (readonly string[])[];
  /** The function of the target tokenizer. */
  readonly normalize: (text: string) => string;
}

/** What all metrics have. */
interface MetricFacts {
  /** Field of the log, and value of `bestMetric`. */
  readonly name: string;
  /** Heading of a table. */
  readonly label: string;
  /** Heading of a narrow table. [label] */
  readonly short?: string;
  /** The metric in words. [label] */
  readonly title?: string;
  readonly better: 'higher' | 'lower';
  /** Names of the kinds of sources that it is for. [all] */
  readonly sources?: readonly string[];
  /** The value as text. */
  readonly show: (value: number) => string;
}

/** A metric of the target tokens with teacher forcing. */
export interface TokenMetric extends MetricFacts {
  readonly needs: 'tokens';
  /** The metric of sums over tokens. */
  compute(sums: TokenSums): number;
}

/** A metric of translations against their references. */
export interface TranslationMetric extends MetricFacts {
  readonly needs: 'translations';
  /** The metric of translations. */
  compute(scored: ScoredTranslations): number;
}

/** A row of the table of metrics. */
export type Metric = TokenMetric | TranslationMetric;

/** Whether a value of a metric is better than another. */
export const isBetter = ({ better }: Pick<Metric, 'better'>, value: number, than: number): boolean =>
  better === 'lower' ? value < than : value > than;

/** The value of a metric in an evaluation, as a log and a result have it by its name; undefined if there is none. */
export function metricValue(evaluation: object, { name }: Pick<Metric, 'name'>): number | undefined {
  const value = (evaluation as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'number' ? value : undefined;
}

/** The values of those metrics that are of translations, by name. */
export const scoreTranslations = (
  metrics: readonly Metric[],
  scored: ScoredTranslations,
): Readonly<Record<string, number>> =>
  Object.fromEntries(
    metrics.flatMap((metric) =>
      metric.needs === 'translations' ? [[metric.name, metric.compute(scored)]] : [],
    ),
  );
