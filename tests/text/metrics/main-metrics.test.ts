// The table of metrics.
import { expect, it } from 'vitest';
import { features } from '../../../src/features/features.ts';
import { allMetrics, type MainMetricName, mainMetrics } from '../../../src/text/metrics/main-metrics.ts';
import { isBetter, type Metric, metricValue, scoreTranslations } from '../../../src/text/metrics/metric.ts';
import { tokenMetrics, translationMetrics } from '../../../src/text/metrics/translation-metrics.ts';

it('has each name once', () => {
  const names = allMetrics(features.metrics).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain('wer');
  expect(allMetrics([]).map(({ name }) => name)).not.toContain('wer');
});

const metricNamed = (own: MainMetricName) => mainMetrics.find(({ name }) => name === own) as Metric;

it('knows which value is better', () => {
  expect(isBetter(metricNamed('loss'), 1, 2)).toBe(true);
  expect(isBetter(metricNamed('bleu'), 1, 2)).toBe(false);
  expect(isBetter(metricNamed('bleu'), 2, 2)).toBe(false);
});

it('computes what evaluations report', () => {
  const sums = { loss: 12, tokens: 10, hits: 7, knownTokens: 8, knownHits: 6 };
  const tokens = tokenMetrics([sums]);
  for (const metric of mainMetrics)
    if (metric.needs === 'tokens') expect(metric.compute(sums)).toBe(metricValue(tokens, metric));
  const translations = ['the tree is high', 'a b'];
  const references = [['the tree is very high'], ['a b', 'c']];
  const normalize = (text: string) => text.toLowerCase();
  const all = translationMetrics(translations, references, normalize);
  const scores = scoreTranslations(mainMetrics, { translations, references, normalize });
  expect(scores).toMatchObject({ bleu: all.bleu, chrf: all.chrf, exactMatch: all.exactMatch });
});
