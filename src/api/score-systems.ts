// Scores of systems that translate the same pairs: BLEU, chrF2, chrF2++ and TER with intervals by bootstrap resampling, scores
// of groups of sentences, and the worst ones.

import { version } from '../../package.json';
import { check } from '../core/errors.ts';
import { type Pace, runPaced } from '../core/steps.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import { bleuStatistics } from '../text/metrics/bleu.ts';
import { type BootstrapScore, bootstrapSteps, scoreOf } from '../text/metrics/bootstrap.ts';
import { chrfStatistics } from '../text/metrics/chrf.ts';
import type { SentenceStatistics } from '../text/metrics/ngrams.ts';
import { analyzeCorpus, type CorpusAnalysis } from '../text/metrics/score-groups.ts';
import { terStatistics } from '../text/metrics/ter.ts';
import {
  ignoresCase,
  type TokenMetrics,
  type TranslationMetrics,
  translationMetrics,
} from '../text/metrics/translation-metrics.ts';

/** Seed of the bootstrap, that of sacreBLEU. */
const seed = 12345;

/** Scores of a model or a file of translations. */
export interface SystemScores {
  /** Name of the system. */
  readonly name: string;
  /** BLEU with its confidence interval. */
  readonly bleu: BootstrapScore;
  /** chrF2 with its confidence interval. */
  readonly chrf: BootstrapScore;
  /** chrF2++. */
  readonly chrfPlus: BootstrapScore;
  /** Lower is better. */
  readonly ter: BootstrapScore;
}

/** Scores of translations; plain JSON. The metrics are those of the first system. */
export interface TranslationReport extends TranslationMetrics {
  /** Number of sentences. */
  readonly pairs: number;
  /** Number of sentences without a translation by all systems. */
  readonly skipped: number;
  /** chrF2++ of the first system, from 0 to 100. */
  readonly chrfPlus: number;
  /** TER of the first system: edits for 100 words of the references, lower is better. */
  readonly ter: number;
  /** sacreBLEU signature of TER. */
  readonly terSignature: string;
  /** Signatures of the scores of `systems`, with samples and seed of the bootstrap. */
  readonly signatures: readonly string[];
  /** Scores of each system. */
  readonly systems: readonly SystemScores[];
  /** Scores of parts of the corpus, for the first system. */
  readonly analysis: CorpusAnalysis;
  /** Source, references and the translation of each system. */
  readonly texts?: readonly EvaluatedSentence[];
}

/** Result of `heddle eval`; plain JSON. The loss of a model that reads no text is not computed: NaN. */
export interface EvaluationReport extends TranslationReport, TokenMetrics {}

/** A sentence and its translations by the systems. */
export interface EvaluatedSentence {
  /** Index of its pair; pairs that were skipped have no sentence. */
  readonly pair: number;
  /** The sentence. */
  readonly source: string;
  /** Its reference translations. */
  readonly references: readonly string[];
  /** Its translation by each system. */
  readonly translations: readonly string[];
}

/** Options of `scoreSystems`. */
export interface ScoreSystemsOptions {
  /** Number of bootstrap resamples; 0: no intervals. [1000] */
  readonly resamples?: number;
  /** Whether the result has all texts. [false] */
  readonly texts?: boolean;
}

/**
 * Scores of systems on the pairs that all have translated. `outputs`: for each system a translation of each pair;
 * `pace`: called between parts of the work.
 */
export async function scoreSystems(
  { resamples = 1000, texts: keep = false }: ScoreSystemsOptions,
  pairs: readonly Pair[],
  names: readonly string[],
  outputs: readonly (readonly (string | null)[])[],
  normalize: (text: string) => string = (text) => text,
  pace: Pace = () => undefined,
): Promise<TranslationReport> {
  const sentences = pairs.flatMap(({ source, target, others = [] }, i): EvaluatedSentence[] => {
    const translations = outputs.flatMap((list) => list[i] ?? []);
    return translations.length === outputs.length
      ? [{ pair: i, source, references: [target, ...others], translations }]
      : [];
  });
  check(sentences.length > 0, 'no pair was translated by all systems', { area: 'eval' });
  const references = sentences.map((sentence) => sentence.references);
  const texts = names.map((_, k) => sentences.map(({ translations }) => translations[k] as string));
  const lowercase = ignoresCase(normalize);
  const compute = {
    bleu: (list: readonly string[]) => bleuStatistics(list, references, { lowercase }),
    chrf: (list: readonly string[]) => chrfStatistics(list, references, { lowercase }),
    chrfPlus: (list: readonly string[]) => chrfStatistics(list, references, { lowercase, wordOrder: 2 }),
    ter: (list: readonly string[]) => terStatistics(list, references),
  };
  type Name = keyof typeof compute;
  const metrics = Object.keys(compute) as Name[];
  const statistics = {} as Record<Name, SentenceStatistics[]>;
  const scores = {} as Record<Name, BootstrapScore[]>;
  for (const name of metrics) {
    const systems: SentenceStatistics[] = [];
    for (const list of texts) {
      systems.push(compute[name](list));
      await pace({ task: 'score', done: systems.length, total: texts.length });
    }
    statistics[name] = systems;
    scores[name] =
      resamples > 0
        ? await runPaced(bootstrapSteps(systems, { samples: resamples, seed }), pace)
        : systems.map((system) => ({ score: scoreOf(system), mean: scoreOf(system), interval: 0 }));
  }
  const first = texts[0] as string[];
  const signatures = metrics.map((metric) => {
    const [system] = statistics[metric];
    const [count, ...rest] = (system?.signature ?? '').split('|');
    const bootstrap = resamples > 0 ? [`bs:${resamples}`, `seed:${seed}`] : [];
    return `${system?.name}|${[count, ...bootstrap, ...rest, `version:heddle-${version}`].join('|')}`;
  });
  return {
    pairs: sentences.length,
    skipped: pairs.length - sentences.length,
    ...translationMetrics(first, references, normalize),
    chrfPlus: (scores.chrfPlus[0] as BootstrapScore).score,
    ter: (scores.ter[0] as BootstrapScore).score,
    terSignature: statistics.ter[0]?.signature ?? '',
    signatures,
    systems: names.map((name, k) => ({
      name,
      bleu: scores.bleu[k] as BootstrapScore,
      chrf: scores.chrf[k] as BootstrapScore,
      chrfPlus: scores.chrfPlus[k] as BootstrapScore,
      ter: scores.ter[k] as BootstrapScore,
    })),
    analysis: analyzeCorpus(
      sentences.map(({ source, references, translations }) => ({
        source,
        references,
        translation: translations[0] as string,
      })),
    ),
    texts: keep ? sentences : undefined,
  };
}
