/**
 * The entry 'heddle/metrics': scores of translations and of recognized texts, as sacreBLEU and others compute them, and
 * comparisons of systems.
 *
 * @module heddle/metrics
 */

export {
  type EvaluatedSentence,
  type EvaluationReport,
  type ScoreSystemsOptions,
  type SystemScores,
  scoreSystems,
  type TranslationReport,
} from '../api/score-systems.ts';
export { characterErrorRate, type ErrorRate, wordErrorRate } from '../features/speech/word-errors.ts';
export {
  type BleuOptions,
  type BleuScore,
  corpusBleu,
  type Smoothing,
  sentenceBleu,
} from '../text/metrics/bleu.ts';
export type { BootstrapScore } from '../text/metrics/bootstrap.ts';
export { type ChrfOptions, type ChrfScore, corpusChrf, sentenceChrf } from '../text/metrics/chrf.ts';
export {
  type Metric,
  metricValue,
  type ScoredTranslations,
  type TokenMetric,
  type TranslationMetric,
} from '../text/metrics/metric.ts';
export type { References } from '../text/metrics/ngrams.ts';
export type { CorpusAnalysis, GroupScores, ScoredSentence } from '../text/metrics/score-groups.ts';
export { corpusTer, sentenceTer, type TerScore } from '../text/metrics/ter.ts';
export type { TerOptions } from '../text/metrics/ter-tokens.ts';
export {
  exactMatch,
  type TokenMetrics,
  type TranslationMetrics,
  translationMetrics,
} from '../text/metrics/translation-metrics.ts';
export { type TextSegment, wordDifferences } from '../text/metrics/word-differences.ts';
