// heddle score: log-probabilities of given translations.

import type { PairScore } from '../api/evaluate-model.ts';
import type { Job } from '../runtime/job.ts';
import { readPairs } from '../runtime/load-corpus.ts';
import type { PairFiles } from '../text/corpus/pair-files.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import { type ModelArguments, openJobModel } from './model-arguments.ts';

/** Arguments of the job; plain JSON. */
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
