// Metrics of models of speech and of lines of text: word and character error rates against the first reference.

import { formatPercent } from '../../core/format-numbers.ts';
import type { Metric, ScoredTranslations } from '../../text/metrics/metric.ts';
import { characterErrorRate, wordErrorRate } from './word-errors.ts';

const firstReferences = ({ references, normalize }: ScoredTranslations): string[] =>
  references.map(([reference = '']) => normalize(reference));

/** The rows of the metrics. */
export const speechMetrics: readonly Metric[] = [
  {
    name: 'wer',
    label: 'WER',
    title: 'word error rate',
    better: 'lower',
    needs: 'translations',
    sources: ['frames'],
    show: formatPercent,
    compute: (scored) => wordErrorRate(scored.translations, firstReferences(scored)).rate,
  },
  {
    name: 'cer',
    label: 'CER',
    title: 'character error rate',
    better: 'lower',
    needs: 'translations',
    sources: ['frames'],
    show: formatPercent,
    compute: (scored) => characterErrorRate(scored.translations, firstReferences(scored)).rate,
  },
];
