// heddle eval: evaluates a saved model on a file of pairs.

import type { EvaluateOptions, Evaluation } from '../api/evaluate-model.ts';
import type { Job } from '../runtime/job.ts';
import { nameOfPairs, readPairs } from '../runtime/load-corpus.ts';
import type { PairFiles } from '../text/corpus/pair-files.ts';
import { excludedTokens, type ModelArguments, openJobModel } from './model-arguments.ts';

/** Arguments of the job; plain JSON. */
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
      ...excludedTokens(model, args.decode, args.badWords),
      batchSize: args.batch,
      name: nameOfPairs(given),
      signal: context.signal,
    });
  } finally {
    model.dispose();
  }
};
