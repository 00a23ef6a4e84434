// Evaluation of a model on its engine: loss and token accuracy with the target given (teacher forcing), and
// metrics of translations.

import { type Message, msg } from '../../core/message.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { DecodedRows, DecodeShape, RowDecoder, TrainingSource } from '../../session/training-source.ts';
import type { Batches } from '../../text/batches/batches.ts';
import { describeSkipped, type EncodedCorpus, sourceLength } from '../../text/batches/encoded-corpus.ts';
import type { Pair } from '../../text/corpus/pairs.ts';
import { type Metric, scoreTranslations } from '../../text/metrics/metric.ts';
import type { TokenMetrics, TokenSums, TranslationMetrics } from '../../text/metrics/translation-metrics.ts';
import { tokenMetrics, translationMetrics } from '../../text/metrics/translation-metrics.ts';
import type { TrainingData } from '../data/training-data.ts';
import type { Sample } from '../report/training-log.ts';
import type { ModelOnEngine } from './loop.ts';

/** Maximum number of sentences in a decoding batch, and of bytes of its KV cache. */
const [decodeBatch, decodeBytes] = [64, 128 * 2 ** 20];

/**
 * Loss, perplexity and token accuracy over all batches; `evaluateBatch` returns the sums of batch `i`. Throws
 * the signal's reason if it is aborted.
 */
export async function evaluateLoss(
  { perEpoch }: Batches,
  evaluateBatch: (i: number) => Promise<TokenSums>,
  { signal, onBatch }: { readonly signal?: AbortSignal; onBatch?(done: number, total: number): void } = {},
): Promise<TokenMetrics> {
  const sums: TokenSums[] = [];
  for (let i = 0; i < perEpoch; i++) {
    signal?.throwIfAborted();
    sums.push(await evaluateBatch(i));
    onBatch?.(i + 1, perEpoch);
  }
  return tokenMetrics(sums);
}

/** Pairs that fit a model: `pairs[i]` is row i of `corpus`. */
export interface FittingPairs {
  readonly pairs: readonly Pair[];
  readonly corpus: EncodedCorpus;
}

/** Encodes pairs and omits those above the limits of the model; see `encode` of TrainingData. */
export async function fittingPairs(
  { encode }: Pick<TrainingData, 'encode'>,
  pairs: readonly Pair[],
): Promise<FittingPairs> {
  const corpus = await encode(pairs);
  return { pairs: Array.from(corpus.pairIndex, (i) => pairs[i] as Pair), corpus };
}

/** Metrics of translations, and the translations beside their references. */
export interface TranslationResult {
  /** Metrics of guests are fields by their names (`metricValue`). */
  readonly metrics: TranslationMetrics;
  readonly samples: readonly Sample[];
}

/** The shape of the batches in which rows of a corpus are translated. `maxTarget`: maximum tokens of a translation. */
export function translationShape(
  { decoderLayers, decoderHeads, decoderHeadWidth }: ModelConfig,
  corpus: EncodedCorpus,
  rows: readonly number[],
  maxTarget: number,
): DecodeShape {
  const maxSource = rows.reduce((longest, row) => Math.max(longest, sourceLength(corpus, row)), 0);
  const rowBytes = 8 * decoderLayers * decoderHeads * decoderHeadWidth * (maxSource + maxTarget);
  const batch = Math.min(decodeBatch, rows.length, Math.max(1, Math.floor(decodeBytes / rowBytes)));
  return { batch, maxSource, maxTarget };
}

/** Translates some pairs greedily, with the weights on the engine, and compares the translations with them. */
export class TranslationEvaluator {
  readonly #chosen: readonly Pair[];
  readonly #normalize: (text: string) => string;
  readonly #decode: RowDecoder;
  readonly #metrics: readonly Metric[];

  private constructor(
    chosen: readonly Pair[],
    normalize: (text: string) => string,
    decode: RowDecoder,
    metrics: readonly Metric[],
  ) {
    this.#chosen = chosen;
    this.#normalize = normalize;
    this.#decode = decode;
    this.#metrics = metrics;
  }

  /**
   * `rows`: row numbers of the corpus, at least one. `maxTarget`: maximum tokens of a translation. `source`: the kind
   * of the sources. `metrics`: those to compute. Its plans are compiled at the first evaluation.
   */
  static open(
    { engine, model, parameters }: ModelOnEngine,
    { pairs, corpus }: FittingPairs,
    rows: readonly number[],
    maxTarget: number,
    source: TrainingSource,
    metrics: readonly Metric[],
  ): TranslationEvaluator {
    const shape = translationShape(model.config, corpus, rows, maxTarget);
    const decoded: DecodedRows = { engine, model, parameters, corpus, rows, shape };
    const chosen = rows.map((row) => pairs[row] as Pair);
    return new TranslationEvaluator(
      chosen,
      (text) => model.target.normalize(text),
      source.openDecoder(decoded),
      metrics,
    );
  }

  /**
   * Translates the pairs. Throws the signal's reason soon after it is aborted; kernels that are compiled or tuned then
   * end in the background.
   */
  async evaluate(signal: AbortSignal): Promise<TranslationResult> {
    const normalize = this.#normalize;
    const translations = await untilAborted(signal, () => this.#decode(signal));
    const references = this.#chosen.map(({ target, others = [] }) => [target, ...others]);
    const usual = translationMetrics(translations, references, normalize);
    const others = this.#metrics.filter(({ name }) => !(name in usual));
    return {
      metrics: { ...usual, ...scoreTranslations(others, { translations, references, normalize }) },
      samples: this.#chosen.map(({ source, target }, i): Sample => {
        const translation = translations[i] as string;
        const exact = references[i]?.some((reference) => normalize(reference) === translation) ?? false;
        return { source, reference: target, translation, exact };
      }),
    };
  }
}

/**
 * Translates test pairs at the end of a run; undefined if no pair fits the model, or the signal was aborted.
 */
export async function translateTest(
  on: ModelOnEngine,
  data: Pick<TrainingData, 'encode' | 'trainingSource'>,
  pairs: readonly Pair[],
  metrics: readonly Metric[],
  signal: AbortSignal,
  onMessage: (text: Message) => void,
): Promise<(TranslationResult & { readonly seconds: number }) | undefined> {
  const test = await fittingPairs(data, pairs);
  const skipped = describeSkipped(test.corpus);
  if (skipped) onMessage(msg`test: ${skipped}`);
  const rows = [...test.pairs.keys()];
  if (rows.length === 0) return undefined;
  onMessage(msg`test sentences: translating ${rows.length}`);
  const begin = performance.now();
  try {
    const { maxLength } = on.model.config;
    const evaluator = TranslationEvaluator.open(on, test, rows, maxLength, data.trainingSource, metrics);
    return { ...(await evaluator.evaluate(signal)), seconds: (performance.now() - begin) / 1000 };
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
