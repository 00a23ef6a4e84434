// Evaluation of a model on its engine: loss and token accuracy with the target given (teacher forcing), and
// metrics of translations.

import { untilAborted } from '../../core/until-aborted.ts';
import type { TranslatorShape } from '../../decode/source-texts.ts';
import { type TextModel, Translator } from '../../decode/translator.ts';
import type { Engine } from '../../engine/engine.ts';
import type { FrameRow, FrameRows } from '../../features/speech/batches/frame-rows.ts';
import type { FrameTexts } from '../../features/speech/decode/frame-texts.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import type { Batches } from '../../text/batches/batches.ts';
import { describeSkipped, type EncodedCorpus, sourceLength } from '../../text/batches/encoded-corpus.ts';
import type { Pair } from '../../text/corpus/pairs.ts';
import type { TokenMetrics, TokenSums, TranslationMetrics } from '../../text/metrics/translation-metrics.ts';
import { tokenMetrics, translationMetrics } from '../../text/metrics/translation-metrics.ts';
import type { Sample } from '../report/training-log.ts';
import type { TrainingData } from '../update/training-data.ts';
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

/** Word and character error rates of texts of frames, such as speech; 0.05 is 5 %. */
export interface ErrorRates {
  readonly wer?: number;
  readonly cer?: number;
}

/** Metrics of translations, and the translations beside their references. */
export interface TranslationResult {
  readonly metrics: TranslationMetrics & ErrorRates;
  readonly samples: readonly Sample[];
}

/** Translates some pairs greedily, with the weights on the engine, and compares the translations with them. */
export class TranslationEvaluator {
  readonly #chosen: readonly Pair[];
  readonly #normalize: (text: string) => string;
  readonly #decode: (signal: AbortSignal) => Promise<string[]>;
  /** Whether the sources are frames, so that error rates say more than BLEU. */
  readonly #hasFrames: boolean;

  private constructor(
    chosen: readonly Pair[],
    normalize: (text: string) => string,
    decode: (signal: AbortSignal) => Promise<string[]>,
    hasFrames: boolean,
  ) {
    this.#chosen = chosen;
    this.#normalize = normalize;
    this.#decode = decode;
    this.#hasFrames = hasFrames;
  }

  /**
   * `rows`: row numbers of the corpus, at least one. `maxTarget`: maximum tokens of a translation. `prompt`: tokens
   * that each text starts from, if the sources are frames. Its plans are compiled at the first evaluation.
   */
  static open(
    engine: Engine,
    model: TextModel,
    parameters: ParameterList,
    { pairs, corpus }: FittingPairs,
    rows: readonly number[],
    maxTarget: number,
    prompt: readonly number[] = [model.config.startId],
  ): TranslationEvaluator {
    const { frames } = corpus;
    const maxSource = rows.reduce((longest, row) => Math.max(longest, sourceLength(corpus, row)), 0);
    const { decoderLayers, decoderHeads, decoderHeadWidth } = model.config;
    const rowBytes = 8 * decoderLayers * decoderHeads * decoderHeadWidth * (maxSource + maxTarget);
    const batch = Math.min(decodeBatch, rows.length, Math.max(1, Math.floor(decodeBytes / rowBytes)));
    const shape = { batch, maxSource, maxTarget };
    const decode = frames
      ? frameDecoder(engine, model, parameters, frames, rows, shape, prompt)
      : textDecoder(engine, model, parameters, corpus, rows, shape);
    const chosen = rows.map((row) => pairs[row] as Pair);
    return new TranslationEvaluator(
      chosen,
      (text) => model.target.normalize(text),
      decode,
      frames !== undefined,
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
    const rates = this.#hasFrames ? await errorRates(translations, references, normalize) : undefined;
    return {
      metrics: { ...translationMetrics(translations, references, normalize), ...rates },
      samples: this.#chosen.map(({ source, target }, i): Sample => {
        const translation = translations[i] as string;
        const exact = references[i]?.some((reference) => normalize(reference) === translation) ?? false;
        return { source, reference: target, translation, exact };
      }),
    };
  }
}

/** What decodes rows of token ids. */
function textDecoder(
  engine: Engine,
  model: TextModel,
  parameters: ParameterList,
  { source: { starts, ids } }: EncodedCorpus,
  rows: readonly number[],
  shape: TranslatorShape,
): (signal: AbortSignal) => Promise<string[]> {
  const translator = new Translator(engine, model, { parameters, shape });
  const sources = rows.map((row) => ids.subarray(starts[row], starts[row + 1]));
  return async (signal) => {
    const found = await translator.decode(sources, { signal });
    return found.map(([best]) => best?.text ?? '');
  };
}

/** What decodes rows of frames, which are loaded at the first evaluation. */
function frameDecoder(
  engine: Engine,
  model: TextModel,
  parameters: ParameterList,
  { rows: all, width }: FrameRows,
  rows: readonly number[],
  shape: TranslatorShape,
  prompt: readonly number[],
): (signal: AbortSignal) => Promise<string[]> {
  let opened: FrameTexts | undefined;
  return async (signal) => {
    if (!opened) {
      const { FrameTexts } = await import('../../features/speech/decode/frame-texts.ts');
      opened = new FrameTexts(engine, model, parameters, shape, prompt);
    }
    const sources = rows.map((row) => all[row] as FrameRow);
    return opened.decode(sources, width, signal);
  };
}

/** The error rates of texts against the first reference of each. */
async function errorRates(
  texts: readonly string[],
  references: readonly (readonly string[])[],
  normalize: (text: string) => string,
): Promise<ErrorRates> {
  const { characterErrorRate, wordErrorRate } = await import('../../text/metrics/word-errors.ts');
  const first = references.map(([reference = '']) => normalize(reference));
  return { wer: wordErrorRate(texts, first).rate, cer: characterErrorRate(texts, first).rate };
}

/**
 * Translates test pairs at the end of a run; undefined if no pair fits the model, or the signal was aborted.
 */
export async function translateTest(
  { engine, model, parameters }: ModelOnEngine,
  data: Pick<TrainingData, 'encode' | 'prompt'>,
  pairs: readonly Pair[],
  signal: AbortSignal,
  onMessage: (text: string) => void,
): Promise<(TranslationResult & { readonly seconds: number }) | undefined> {
  const test = await fittingPairs(data, pairs);
  const skipped = describeSkipped(test.corpus);
  if (skipped) onMessage(`test: ${skipped}`);
  const rows = [...test.pairs.keys()];
  if (rows.length === 0) return undefined;
  onMessage(`test sentences: translating ${rows.length}`);
  const begin = performance.now();
  try {
    const { maxLength } = model.config;
    const { prompt } = data;
    const evaluator = TranslationEvaluator.open(engine, model, parameters, test, rows, maxLength, prompt);
    return { ...(await evaluator.evaluate(signal)), seconds: (performance.now() - begin) / 1000 };
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
