// Judges a model by what it translates on its own: greedily unless told otherwise, against one reference each or several.

import type { DecodeOptions } from '../decode/decode-options.ts';
import { createTranslator, type TextModel, type Translator } from '../decode/translator.ts';
import type { Engine } from '../engine/engine.ts';
import { type TranslationMetrics, translationMetrics } from '../metrics/translation-metrics.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import type { Sample } from '../report/training-log.ts';
import {
  describeLeftOut,
  type EncodedCorpus,
  encodePairs,
  sourceLength,
  targetLength,
} from '../text/batches/encoded-corpus.ts';
import type { Pair } from '../text/corpus/pairs.ts';

/** Pairs that a model takes, and how they are as ids: `pairs[i]` is row i of `corpus`. */
export interface FittingPairs {
  readonly pairs: readonly Pair[];
  readonly corpus: EncodedCorpus;
  /** Why pairs were left out; empty where none was. */
  readonly leftOut: string;
}

/** The pairs whose sides are within limits; by default the model's own. */
export function fittingPairs(
  { config, source, target }: TextModel,
  pairs: readonly Pair[],
  limits = { maxSource: config.maxLength, maxTarget: config.maxLength },
): FittingPairs {
  const corpus = encodePairs(pairs, source, target, limits);
  return {
    pairs: Array.from(corpus.pairIndex, (i) => pairs[i] as Pair),
    corpus,
    leftOut: describeLeftOut(corpus),
  };
}

/** What a judge found. */
export interface EvaluationResult {
  readonly metrics: TranslationMetrics;
  /** In the order of the pairs. */
  readonly samples: readonly Sample[];
}

/** Settings of a judge. */
export interface TranslationEvaluatorOptions {
  /** Sentences that decode together, at most; default 64. */
  readonly batch?: number;
  /** Most tokens of a translation; default: as many as the model takes, so that one which never ends counts in full. */
  readonly maxTarget?: number;
  /** As in TranslatorOptions. */
  readonly weights?: WeightFormat;
  readonly decode?: DecodeOptions;
}

/** Translates pairs and judges the translations. */
export interface TranslationEvaluator {
  /** Translates all pairs with the weights that the engine has now. Throws the reason of the signal where it is aborted. */
  evaluate(signal: AbortSignal, told?: (done: number, of: number) => void): Promise<EvaluationResult>;
}

/** Makes a judge of at least one pair; its plans are ready when it resolves. */
export async function createTranslationEvaluator(
  engine: Engine,
  model: TextModel,
  { pairs, corpus }: Pick<FittingPairs, 'pairs' | 'corpus'>,
  { batch = 64, maxTarget = model.config.maxLength, weights = 'f32', decode = {} }: TranslationEvaluatorOptions = {},
): Promise<TranslationEvaluator> {
  const lengths = pairs.map((_, row) => sourceLength(corpus, row));
  const translator: Translator = await createTranslator(engine, model, {
    batch: Math.min(batch, pairs.length),
    maxSource: lengths.reduce((a, b) => Math.max(a, b)),
    maxTarget,
    weights,
    decode,
  });
  const sources = pairs.map(({ source }) => source);
  return {
    async evaluate(signal, told) {
      const onProgress = (done: number) => told?.(done, pairs.length);
      const translations = await translator.translate(sources, { signal, onProgress });
      const references = pairs.map(({ target, others = [] }) => [target, ...others]);
      const normal = (text: string) => model.target.normalize(text);
      return {
        metrics: translationMetrics(translations, references, normal),
        samples: pairs.map(({ source, target }, i) => {
          const translation = translations[i] as string;
          return {
            source,
            reference: target,
            translation,
            exact: (references[i] ?? []).some((reference) => translation === normal(reference)),
          };
        }),
      };
    },
  };
}

/** Most tokens that a translation of the corpus may have while a model still learns: much more than any should have. */
export const maxTranslationLength = ({ config }: TextModel, corpus: EncodedCorpus): number => {
  let longest = 1;
  for (let row = 0; row < corpus.count; row++) longest = Math.max(longest, targetLength(corpus, row));
  return Math.min(config.maxLength, 2 * longest);
};
