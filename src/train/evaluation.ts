// The dev set during training: loss and accuracy with the target given, and metrics of what the model translates on its own.

import type { TextModel } from '../decode/translator.ts';
import type { Engine } from '../engine/engine.ts';
import { addSums, tokenMetrics } from '../metrics/translation-metrics.ts';
import type { LogEval, Sample } from '../report/training-log.ts';
import { createBatches } from '../text/batches/batches.ts';
import { targetLength } from '../text/batches/encoded-corpus.ts';
import { type Pair, sampleEvenly } from '../text/corpus/pairs.ts';
import type { Trainer } from '../trainer/trainer.ts';
import {
  createTranslationEvaluator,
  fittingPairs,
  maxTranslationLength,
  type TranslationEvaluator,
} from './translation-evaluator.ts';

/** Most pairs whose loss is taken, so that an evaluation costs about as much as a few dozen steps. */
export const maxDevPairs = 1000;

/** Evaluates a model while it learns. */
export interface DevSet {
  /** Pairs whose loss is taken, and those of them that are translated. */
  readonly pairs: number;
  readonly sentences: number;
  /** Why pairs were left out; empty where none was. */
  readonly leftOut: string;
  /** How the model does after `step` updates; undefined where the signal was aborted meanwhile. No update may be pending. */
  evaluate(step: number, signal: AbortSignal): Promise<LogEval | undefined>;
}

/** A dev set of `pairs`, spread over them, that fit the trainer's batches; undefined where none does. `told` hears of what it translates. */
export function createDevSet(
  engine: Engine,
  trainer: Trainer,
  model: TextModel,
  pairs: readonly Pair[],
  sentences: number,
  told?: (step: number, samples: readonly Sample[]) => void,
): DevSet | undefined {
  const { shapes } = trainer;
  const largest = shapes.at(-1);
  const limits = { maxSource: largest?.source ?? 0, maxTarget: largest?.target ?? 0 };
  const dev = fittingPairs(model, sampleEvenly(pairs, maxDevPairs), limits);
  if (dev.corpus.count === 0) return undefined;
  const { corpus } = dev;
  const batches = createBatches(corpus, shapes, { shuffle: false });
  const translated = fittingPairs(model, sampleEvenly(dev.pairs, sentences), limits);
  let judge: Promise<TranslationEvaluator> | undefined;

  const sumsOf = (i: number) =>
    trainer.evaluate({
      shape: batches.shapeAt(i),
      tokens: batches.rowsAt(i).reduce((n, row) => n + targetLength(corpus, row), 0),
      fill: (arrays) => batches.fill(i, arrays),
    });

  return {
    pairs: corpus.count,
    sentences: translated.pairs.length,
    leftOut: dev.leftOut,
    async evaluate(step, signal) {
      const begin = performance.now();
      const sums = [];
      for (let i = 0; i < batches.perEpoch; i++) {
        if (signal.aborted) return undefined;
        sums.push(await sumsOf(i));
      }
      const found: LogEval = {
        type: 'eval',
        step,
        part: 'dev',
        pairs: corpus.count,
        ...tokenMetrics(addSums(sums)),
        seconds: 0,
      };
      const seconds = () => (performance.now() - begin) / 1000;
      if (translated.pairs.length === 0) return { ...found, seconds: seconds() };
      judge ??= createTranslationEvaluator(engine, model, translated, {
        maxTarget: maxTranslationLength(model, translated.corpus),
      });
      try {
        const { metrics, samples } = await (await judge).evaluate(signal);
        told?.(step, samples);
        return { ...found, ...metrics, seconds: seconds() };
      } catch (error) {
        if (signal.aborted) return undefined;
        throw error;
      }
    },
  };
}

/** An evaluation as a line: `dev after 300 steps: loss 0.412, perplexity 1.51, token accuracy 88.1 %, BLEU 62.30, ...`. */
export function describeDev(e: LogEval): string {
  const percent = (share = Number.NaN) => `${(100 * share).toFixed(1)} %`;
  const told = [
    `loss ${e.loss?.toFixed(4)}`,
    `perplexity ${e.perplexity?.toPrecision(4)}`,
    `token accuracy ${percent(e.tokenAccuracy)}`,
    ...(e.sentences === undefined
      ? []
      : [`BLEU ${e.bleu?.toFixed(2)}`, `chrF2 ${e.chrf?.toFixed(2)}`, `exact match ${percent(e.exactMatch)}`]),
  ];
  return `dev after ${e.step} steps: ${told.join(', ')}`;
}
