// heddle eval and heddle score: metrics of a saved model on pairs, and the log-probability of each pair.

import type { EvaluateOptions, Evaluation, PairScore } from '../../api/evaluate-model.ts';
import { openFolder } from '../../api/load-model.ts';
import type { Job } from '../../session/job.ts';
import { nameOfPairs, readPairs } from '../../session/load-corpus.ts';
import type { PairFiles } from '../../text/corpus/pair-files.ts';
import type { Pair } from '../../text/corpus/pairs.ts';
import { excludedTokens, type ModelArguments } from './model-arguments.ts';

/** Arguments of `evaluate`; plain JSON. */
export interface EvaluateArguments extends ModelArguments {
  readonly pairs: PairFiles;
  /**
   * Number of reference columns after the source; the first that is not empty is the target of the loss. [1]
   */
  readonly references?: number;
  /** Options of `Model.evaluate`. [greedy decoding] */
  readonly options?: Omit<EvaluateOptions, 'name' | 'signal'>;
  /** Words that are never generated; each must be one token. */
  readonly badWords?: readonly string[];
}

/** Evaluates. Throws a HeddleError if no pair fits the model. */
export const evaluate: Job<EvaluateArguments, Evaluation> = async (args, session) => {
  const { pairs: given, references, options, badWords } = args;
  const model = await openFolder(args.folder, session, args);
  try {
    const pairs = await readPairs(given, session, references);
    return await model.evaluate(pairs, {
      ...options,
      suppressTokens: excludedTokens(model, options?.suppressTokens, badWords),
      name: nameOfPairs(given),
      signal: session.signal,
    });
  } finally {
    model.dispose();
  }
};

/** Arguments of `score`; plain JSON. */
export interface ScoreArguments extends ModelArguments {
  readonly pairs: PairFiles;
  /** Maximum number of pairs in a batch. */
  readonly batchSize: number;
}

/** A pair and its score, without one if the pair is too long or has an empty side; plain JSON. */
export type ScoredPair = Pair & Partial<PairScore>;

/** Scores pairs, in order. Throws a HeddleError if none fits the model. */
export const score: Job<ScoreArguments, ScoredPair[]> = async (args, session) => {
  const model = await openFolder(args.folder, session, args);
  try {
    const pairs = await readPairs(args.pairs, session);
    const scores = await model.score(pairs, { batchSize: args.batchSize, signal: session.signal });
    return pairs.map((pair, i) => ({ ...pair, ...scores[i] }));
  } finally {
    model.dispose();
  }
};
