// Evaluation during and after training: loss and token accuracy with the target given (teacher forcing), and
// metrics of translations.

import { createTranslator, type TextModel } from '../../decode/translator.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { type Batches, createBatches } from '../../text/batches/batches.ts';
import {
  describeSkipped,
  describeUnknown,
  encodePairs,
  sourceLength,
  targetLength,
} from '../../text/batches/encoded-corpus.ts';
import { type Pair, type PairList, sampleEvenly } from '../../text/corpus/pairs.ts';
import type { TokenMetrics, TokenSums } from '../../text/metrics/translation-metrics.ts';
import { tokenMetrics, translationMetrics } from '../../text/metrics/translation-metrics.ts';
import type { LogEval, Sample } from '../report/training-log.ts';
import type { Trainer } from '../update/trainer.ts';
import { batchOf } from '../update/training-data.ts';

/**
 * Maximum number of dev pairs whose loss is computed; an evaluation then costs about as much as a few dozen
 * steps.
 */
const maxDevPairs = 1000;

/** Maximum number of sentences in a decoding batch, and of bytes of its KV cache. */
const [decodeBatch, decodeBytes] = [64, 128 * 2 ** 20];

/**
 * Loss, perplexity and token accuracy over all batches; `evaluateBatch` returns the sums of batch `i`. Throws
 * the signal's reason if it is aborted.
 */
export async function evaluateLoss(
  { perEpoch }: Batches,
  evaluateBatch: (i: number) => Promise<TokenSums>,
  {
    signal,
    onBatch,
  }: { readonly signal?: AbortSignal | undefined; onBatch?(done: number, total: number): void } = {},
): Promise<TokenMetrics> {
  const sums: TokenSums[] = [];
  for (let i = 0; i < perEpoch; i++) {
    signal?.throwIfAborted();
    sums.push(await evaluateBatch(i));
    onBatch?.(i + 1, perEpoch);
  }
  return tokenMetrics(sums);
}

/**
 * Tokenizes pairs and omits those above the limits, by default the model's: `pairs[i]` is row i of `corpus`.
 */
function fittingPairs(
  { config, source, target }: TextModel,
  pairs: readonly Pair[],
  limits = { maxSource: config.maxLength, maxTarget: config.maxLength },
) {
  const corpus = encodePairs(pairs, source, target, limits);
  return { pairs: Array.from(corpus.pairIndex, (i) => pairs[i] as Pair), corpus };
}

/**
 * Creates a function that translates `rows`, row numbers of the corpus, at least one: greedily, with the
 * weights on the engine. It compares the translations with the targets, and throws the signal's reason if it
 * is aborted. Resolves when its plans are compiled. `maxTarget`: maximum tokens of a translation.
 */
async function createTranslationEvaluator(
  engine: Engine,
  model: TextModel,
  parameters: ParameterList,
  { pairs, corpus }: ReturnType<typeof fittingPairs>,
  rows: readonly number[],
  maxTarget: number,
) {
  const { starts, ids } = corpus.source;
  const maxSource = rows.reduce((longest, row) => Math.max(longest, sourceLength(corpus, row)), 0);
  const { decoderLayers, decoderHeads, decoderHeadWidth } = model.config;
  const rowBytes = 8 * decoderLayers * decoderHeads * decoderHeadWidth * (maxSource + maxTarget);
  const batch = Math.min(decodeBatch, rows.length, Math.max(1, Math.floor(decodeBytes / rowBytes)));
  const translator = await createTranslator(engine, model, { parameters, batch, maxSource, maxTarget });
  const sources = rows.map((row) => ids.subarray(starts[row], starts[row + 1]));
  const chosen = rows.map((row) => pairs[row] as Pair);
  const normalize = (text: string) => model.target.normalize(text);
  const references = chosen.map(({ target, others = [] }) => [target, ...others]);
  const normalized = references.map((list) => list.map(normalize));
  return async (signal: AbortSignal) => {
    const translations = await translator.translate(sources, { signal });
    return {
      metrics: translationMetrics(translations, references, normalize),
      samples: chosen.map(({ source, target }, i): Sample => {
        const translation = translations[i] as string;
        return {
          source,
          reference: target,
          translation,
          exact: normalized[i]?.includes(translation) ?? false,
        };
      }),
    };
  };
}

/**
 * Creates a dev set, which evaluates a model while it trains: evenly sampled pairs that fit the trainer's
 * batches; undefined if no pair fits. `sentences`: how many of them are translated. `onSamples` receives the
 * translations.
 */
export function createDevSet(
  engine: Engine,
  trainer: Trainer,
  model: TextModel,
  pairs: PairList,
  sentences: number,
  onSamples: (step: number, samples: readonly Sample[]) => void,
) {
  const { shapes } = trainer;
  const largest = shapes.at(-1);
  const limits = { maxSource: largest?.source ?? 0, maxTarget: largest?.target ?? 0 };
  const dev = fittingPairs(model, sampleEvenly(pairs, maxDevPairs), limits);
  const { corpus } = dev;
  if (corpus.count === 0) return undefined;
  const batches = createBatches(corpus, shapes, { shuffle: false });
  const rows = sampleEvenly([...dev.pairs.keys()], sentences);
  // Early in training a model may never emit the end token, so stop at twice the longest target.
  const longest = rows.reduce((length, row) => Math.max(length, targetLength(corpus, row)), 1);
  const maxTarget = Math.min(model.config.maxLength, 2 * longest);
  let translations: ReturnType<typeof createTranslationEvaluator> | undefined;
  return {
    /** Message about omitted pairs; empty if there are none. */
    skipped: describeSkipped(corpus),
    unknown: describeUnknown(corpus),
    /**
     * Evaluates after `step` updates, while none is pending; undefined if the signal was aborted meanwhile.
     */
    async evaluate(step: number, signal: AbortSignal): Promise<LogEval | undefined> {
      const begin = performance.now();
      try {
        const evaluateBatch = (i: number) =>
          trainer.evaluate(batchOf(batches, corpus, i), corpus.targetSpecial);
        const loss = await evaluateLoss(batches, evaluateBatch, { signal });
        const head = { type: 'eval', step, part: 'dev', pairs: corpus.count, ...loss } as const;
        const seconds = () => (performance.now() - begin) / 1000;
        if (rows.length === 0) return { ...head, seconds: seconds() };
        translations ??= createTranslationEvaluator(engine, model, trainer.parameters, dev, rows, maxTarget);
        const { metrics, samples } = await (await translations)(signal);
        onSamples(step, samples);
        return { ...head, ...metrics, seconds: seconds() };
      } catch (error) {
        if (signal.aborted) return undefined;
        throw error;
      }
    },
  };
}

/**
 * Formats an evaluation as a line: `dev after 300 steps: loss 0.4120, perplexity 1.510, token accuracy 88.1
 * %, BLEU 62.30, ...`.
 */
export function describeDev(e: LogEval): string {
  const percent = (share = Number.NaN) => `${(100 * share).toFixed(1)} %`;
  const values = [
    `loss ${e.loss?.toFixed(4)}`,
    `perplexity ${e.perplexity?.toPrecision(4)}`,
    `token accuracy ${percent(e.tokenAccuracy)}${
      Object.is(e.knownTokenAccuracy, e.tokenAccuracy)
        ? ''
        : ` (${percent(e.knownTokenAccuracy)} without unknown tokens)`
    }`,
    ...(e.sentences === undefined
      ? []
      : [
          `BLEU ${e.bleu?.toFixed(2)}`,
          `chrF2 ${e.chrf?.toFixed(2)}`,
          `exact match ${percent(e.exactMatch)}`,
        ]),
  ];
  return `dev after ${e.step} steps: ${values.join(', ')}`;
}

/**
 * Translates test pairs at the end of a run; undefined if no pair fits the model, or the signal was aborted.
 */
export async function translateTest(
  engine: Engine,
  model: TextModel,
  parameters: ParameterList,
  pairs: readonly Pair[],
  signal: AbortSignal,
  onMessage: (text: string) => void,
) {
  const test = fittingPairs(model, pairs);
  const skipped = describeSkipped(test.corpus);
  if (skipped) onMessage(`test: ${skipped}`);
  const rows = [...test.pairs.keys()];
  if (rows.length === 0) return undefined;
  onMessage(`translating ${rows.length} test sentences`);
  const begin = performance.now();
  try {
    const evaluate = await createTranslationEvaluator(
      engine,
      model,
      parameters,
      test,
      rows,
      model.config.maxLength,
    );
    return { ...(await evaluate(signal)), seconds: (performance.now() - begin) / 1000 };
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
