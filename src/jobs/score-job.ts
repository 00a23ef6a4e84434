// heddle score: log-probabilities of given translations.

import type { PairScore } from '../api/evaluate-model.ts';
import { openFolder } from '../api/load-model.ts';
import type { LanguageOptions } from '../formats/hf/languages.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import type { Job } from '../runtime/job.ts';
import { readPairs } from '../runtime/load-corpus.ts';
import type { PairFiles } from '../text/corpus/pair-files.ts';
import type { Pair } from '../text/corpus/pairs.ts';

/** What to score; plain JSON. */
export interface ScoreArguments {
  readonly folder: string;
  /** Files of the pairs. */
  readonly pairs: PairFiles;
  /** Maximum number of pairs in a batch. */
  readonly batch: number;
  /** Folder of a LoRA adapter to merge into the weights. */
  readonly adapter?: string;
  /** Folders of further models with the same vocabulary, whose probabilities are averaged with those of the model. */
  readonly ensemble?: readonly string[];
  /** Storage of the weights on the engine; default f32. */
  readonly weights?: WeightFormat;
  /** Languages of a multilingual model; default: those of the model. */
  readonly languages?: LanguageOptions;
}

/** A pair and its score, which is absent if the pair is too long or has an empty side; plain JSON. */
export type ScoredPair = Pair & Partial<PairScore>;

/** Scores pairs, in order. Throws a HeddleError if none fits the model. */
export const score: Job<ScoreArguments, ScoredPair[]> = async (args, context) => {
  const { folder, pairs: given, batch, adapter, weights } = args;
  const model = await openFolder(folder, context, {
    ...(adapter && { lora: adapter }),
    ...(weights && { weights }),
    ...(args.ensemble && { ensemble: args.ensemble }),
    ...args.languages,
  });
  try {
    const pairs = await readPairs(given, context);
    const scores = await model.score(pairs, { batchSize: batch, signal: context.signal });
    return pairs.map((pair, i) => ({ ...pair, ...scores[i] }));
  } finally {
    model.dispose();
  }
};
