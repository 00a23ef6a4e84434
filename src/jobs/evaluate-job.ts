// heddle eval and heddle score: metrics of a saved model on pairs, and the log-probability of each pair.

import type { EvaluateOptions, Evaluation, PairScore } from '../api/evaluate-model.ts';
import type { Job } from '../runtime/job.ts';
import { nameOfPairs, readPairs } from '../runtime/load-corpus.ts';
import type { PairFiles } from '../text/corpus/pair-files.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import { excludedTokens, type ModelArguments, openJobModel } from './model-arguments.ts';

/** Arguments of `evaluate`; plain JSON. */
export interface EvaluateArguments extends ModelArguments {
  /** Files of the pairs, or the path of one file. */
  readonly pairs: PairFiles | string;
  /** Number of reference columns after the source; the first that is not empty is the target of the loss. [1] */
  readonly references?: number;
  /** Decoding options. [greedy decoding] */
  readonly decode?: Omit<EvaluateOptions, 'maxNewTokens' | 'signal' | 'batchSize'>;
  /** Words that are never generated; each must be one token. */
  readonly badWords?: readonly string[];
  /** Maximum number of sentences in a batch. */
  readonly batch: number;
}

/** Evaluates. Throws a HeddleError if no pair fits the model. */
export const evaluate: Job<EvaluateArguments, Evaluation> = async (args, context) => {
  const given = typeof args.pairs === 'string' ? { files: [args.pairs] } : args.pairs;
  const model = await openJobModel(args, context);
  try {
    const pairs = await readPairs(given, context, args.references ?? 1);
    return await model.evaluate(pairs, {
      ...args.decode,
      suppressTokens: excludedTokens(model, args.decode?.suppressTokens, args.badWords),
      batchSize: args.batch,
      name: nameOfPairs(given),
      signal: context.signal,
    });
  } finally {
    model.dispose();
  }
};

/** Arguments of `score`; plain JSON. */
export interface ScoreArguments extends ModelArguments {
  /** Files of the pairs. */
  readonly pairs: PairFiles;
  /** Maximum number of pairs in a batch. */
  readonly batch: number;
}

/** A pair and its score, without one if the pair is too long or has an empty side; plain JSON. */
export type ScoredPair = Pair & Partial<PairScore>;

/** Scores pairs, in order. Throws a HeddleError if none fits the model. */
export const score: Job<ScoreArguments, ScoredPair[]> = async (args, context) => {
  const model = await openJobModel(args, context);
  try {
    const pairs = await readPairs(args.pairs, context);
    const scores = await model.score(pairs, { batchSize: args.batch, signal: context.signal });
    return pairs.map((pair, i) => ({ ...pair, ...scores[i] }));
  } finally {
    model.dispose();
  }
};
