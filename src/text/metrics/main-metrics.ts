// The table of the metrics of the main house, in the order of tables.

import { formatPercent } from '../../core/format-numbers.ts';
import { corpusBleu } from './bleu.ts';
import { corpusChrf } from './chrf.ts';
import type { Metric } from './metric.ts';
import { exactMatch, ignoresCase } from './translation-metrics.ts';

const twoDecimals = (x: number): string => x.toFixed(2);

/** The metrics of the main house. */
export const mainMetrics = [
  {
    name: 'loss',
    label: 'loss',
    short: 'dev loss',
    better: 'lower',
    needs: 'tokens',
    show: (x) => x.toFixed(4),
    compute: ({ loss, tokens }) => loss / tokens,
  },
  {
    name: 'perplexity',
    label: 'perplexity',
    better: 'lower',
    needs: 'tokens',
    show: (x) => x.toPrecision(4),
    compute: ({ loss, tokens }) => Math.exp(loss / tokens),
  },
  {
    name: 'tokenAccuracy',
    label: 'token accuracy',
    short: 'accuracy',
    better: 'higher',
    needs: 'tokens',
    show: formatPercent,
    compute: ({ hits, tokens }) => hits / tokens,
  },
  {
    name: 'bleu',
    label: 'BLEU',
    better: 'higher',
    needs: 'translations',
    show: twoDecimals,
    compute: ({ translations, references, normalize }) =>
      corpusBleu(translations, references, { lowercase: ignoresCase(normalize) }).score,
  },
  {
    name: 'chrf',
    label: 'chrF2',
    better: 'higher',
    needs: 'translations',
    show: twoDecimals,
    compute: ({ translations, references, normalize }) =>
      corpusChrf(translations, references, { lowercase: ignoresCase(normalize) }).score,
  },
  {
    name: 'exactMatch',
    label: 'exact match',
    short: 'exact',
    better: 'higher',
    needs: 'translations',
    show: formatPercent,
    compute: ({ translations, references, normalize }) => exactMatch(translations, references, normalize),
  },
] as const satisfies readonly Metric[];

/** Names of the metrics of the main house. */
export const mainMetricNames = mainMetrics.map(({ name }) => name) as readonly MainMetricName[];
/** Name of a metric of the main house. */
export type MainMetricName = (typeof mainMetrics)[number]['name'];

/** All metrics: those of the main house and those of guests. */
export const allMetrics = (guests: readonly Metric[]): readonly Metric[] => [...mainMetrics, ...guests];
