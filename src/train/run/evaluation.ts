// Evaluation of a model on its engine: loss and token accuracy with the target given (teacher forcing), and
// metrics of translations.

import { type TextModel, Translator } from '../../decode/translator.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import type { Batches } from '../../text/batches/batches.ts';
import {
  describeSkipped,
  type EncodedCorpus,
  encodePairs,
  sourceLength,
  type TokenIds,
} from '../../text/batches/encoded-corpus.ts';
import type { Pair } from '../../text/corpus/pairs.ts';
import type { TokenMetrics, TokenSums, TranslationMetrics } from '../../text/metrics/translation-metrics.ts';
import { tokenMetrics, translationMetrics } from '../../text/metrics/translation-metrics.ts';
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

/** Tokenizes pairs and omits those above the limits, by default the model's. */
export function fittingPairs(
  { config, source, target }: TextModel,
  pairs: readonly Pair[],
  limits = { maxSource: config.maxLength, maxTarget: config.maxLength },
): FittingPairs {
  const corpus = encodePairs(pairs, source, target, limits);
  return { pairs: Array.from(corpus.pairIndex, (i) => pairs[i] as Pair), corpus };
}

/** Metrics of translations, and the translations beside their references. */
export interface TranslationResult {
  readonly metrics: TranslationMetrics;
  readonly samples: readonly Sample[];
}

/** Translates some pairs greedily, with the weights on the engine, and compares the translations with them. */
export class TranslationEvaluator {
  readonly #translator: Translator;
  readonly #chosen: readonly Pair[];
  readonly #sources: readonly TokenIds[];
  readonly #normalize: (text: string) => string;

  private constructor(
    translator: Translator,
    chosen: readonly Pair[],
    sources: readonly TokenIds[],
    normalize: (text: string) => string,
  ) {
    this.#translator = translator;
    this.#chosen = chosen;
    this.#sources = sources;
    this.#normalize = normalize;
  }

  /**
   * `rows`: row numbers of the corpus, at least one. `maxTarget`: maximum tokens of a translation. Its plans are
   * compiled at the first evaluation.
   */
  static open(
    engine: Engine,
    model: TextModel,
    parameters: ParameterList,
    { pairs, corpus }: FittingPairs,
    rows: readonly number[],
    maxTarget: number,
  ): TranslationEvaluator {
    const { starts, ids } = corpus.source;
    const maxSource = rows.reduce((longest, row) => Math.max(longest, sourceLength(corpus, row)), 0);
    const { decoderLayers, decoderHeads, decoderHeadWidth } = model.config;
    const rowBytes = 8 * decoderLayers * decoderHeads * decoderHeadWidth * (maxSource + maxTarget);
    const batch = Math.min(decodeBatch, rows.length, Math.max(1, Math.floor(decodeBytes / rowBytes)));
    return new TranslationEvaluator(
      new Translator(engine, model, { parameters, shape: { batch, maxSource, maxTarget } }),
      rows.map((row) => pairs[row] as Pair),
      rows.map((row) => ids.subarray(starts[row], starts[row + 1])),
      (text) => model.target.normalize(text),
    );
  }

  /** Translates the pairs. Throws the signal's reason if it is aborted. */
  async evaluate(signal: AbortSignal): Promise<TranslationResult> {
    const normalize = this.#normalize;
    const found = await this.#translator.decode(this.#sources, { signal });
    const translations = found.map(([best]) => best?.text ?? '');
    const references = this.#chosen.map(({ target, others = [] }) => [target, ...others]);
    return {
      metrics: translationMetrics(translations, references, normalize),
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
  { engine, model, parameters }: ModelOnEngine,
  pairs: readonly Pair[],
  signal: AbortSignal,
  onMessage: (text: string) => void,
): Promise<(TranslationResult & { readonly seconds: number }) | undefined> {
  const test = fittingPairs(model, pairs);
  const skipped = describeSkipped(test.corpus);
  if (skipped) onMessage(`test: ${skipped}`);
  const rows = [...test.pairs.keys()];
  if (rows.length === 0) return undefined;
  onMessage(`translating ${rows.length} test sentences`);
  const begin = performance.now();
  try {
    const { maxLength } = model.config;
    const evaluator = TranslationEvaluator.open(engine, model, parameters, test, rows, maxLength);
    return { ...(await evaluator.evaluate(signal)), seconds: (performance.now() - begin) / 1000 };
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
