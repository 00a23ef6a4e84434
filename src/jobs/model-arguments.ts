// The model of a job: its folder, and the options that change how it is loaded and decoded.

import { openFolder } from '../api/load-model.ts';
import type { Model } from '../api/model-types.ts';
import { check } from '../core/errors.ts';
import type { LanguageOptions } from '../formats/hf/languages.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import type { JobContext } from '../runtime/job.ts';

/** A trained model; plain JSON. */
export interface ModelArguments {
  readonly folder: string;
  /** Folder of a LoRA adapter to merge into the weights. */
  readonly lora?: string;
  /** Folders of further models with the same vocabulary, whose probabilities are averaged with those of the model. */
  readonly ensemble?: readonly string[];
  /** Format of the weights on the device. [f32] */
  readonly weights?: WeightFormat;
  /** Languages of a multilingual model. [those of the model] */
  readonly languages?: LanguageOptions;
}

/** Opens the model of a job. */
export const openJobModel = (
  { folder, lora, ensemble, weights, languages }: ModelArguments,
  context: JobContext,
): Promise<Model> => openFolder(folder, context, { lora, weights, ensemble, ...languages });

/** The ids in `suppressTokens` and those of `badWords`. Throws a HeddleError if a word is not one token. */
export const excludedTokens = (
  model: Model,
  suppressTokens: readonly number[] = [],
  badWords: readonly string[] = [],
) => [...suppressTokens, ...badWords.flatMap((word) => tokensOf(model, word))];

/** The ids of all tokens whose text is a word. */
function tokensOf({ tokenizers: { target } }: Model, word: string): number[] {
  const ids = Array.from({ length: target.size }, (_, id) => id).filter((id) => target.decode([id]).trim() === word);
  const count = target.encode(word).length;
  check(
    ids.length > 0,
    () =>
      `bad word "${word}" is ${count === 1 ? 'not in the vocabulary' : `${count} tokens`}; ` +
      'only a word of one token can be excluded',
  );
  return ids;
}
