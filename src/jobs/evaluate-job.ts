// heddle eval: evaluates a saved model on a file of pairs.

import type { EvaluateOptions, Evaluation } from '../api/evaluate-model.ts';
import { openFolder } from '../api/load-model.ts';
import type { LanguageOptions } from '../formats/hf/languages.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import type { Job } from '../runtime/job.ts';
import { nameOfPairs, readPairs } from '../runtime/load-corpus.ts';
import type { PairFiles } from '../text/corpus/pair-files.ts';
import { tokensOf } from './translate-job.ts';

/** What to evaluate; plain JSON. */
export interface EvaluateArguments {
  readonly folder: string;
  /** Files of the pairs, or one by its name. */
  readonly pairs: PairFiles | string;
  /**
   * Number of columns after the source that are references; the first that is filled is the target of the loss. Default
   * 1.
   */
  readonly references?: number;
  /** How to decode; default: greedy decoding. */
  readonly decode?: Omit<EvaluateOptions, 'maxNewTokens' | 'signal' | 'batchSize'>;
  /** Words that are never generated; each must be one token. */
  readonly badWords?: readonly string[];
  /** Maximum number of sentences in a batch. */
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

/** Evaluates. Throws a HeddleError if no pair fits the model. */
export const evaluate: Job<EvaluateArguments, Evaluation> = async (args, context) => {
  const { folder, pairs: named, references = 1, batch, adapter, weights, decode, badWords = [] } = args;
  const given = typeof named === 'string' ? { files: [named] } : named;
  const model = await openFolder(folder, context, {
    ...(adapter && { lora: adapter }),
    ...(weights && { weights }),
    ...(args.ensemble && { ensemble: args.ensemble }),
    ...args.languages,
  });
  try {
    const suppressTokens = [...(decode?.suppressTokens ?? []), ...badWords.flatMap((word) => tokensOf(model, word))];
    const pairs = await readPairs(given, context, references);
    return await model.evaluate(pairs, {
      ...decode,
      ...(suppressTokens.length > 0 && { suppressTokens }),
      batchSize: batch,
      name: nameOfPairs(given),
      signal: context.signal,
    });
  } finally {
    model.dispose();
  }
};
