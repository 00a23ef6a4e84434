// The model of a job: its folder, how it is loaded, and which tokens it never generates.

import type { LoadOptions } from '../../api/load-model.ts';
import type { Model } from '../../api/model.ts';
import { check } from '../../core/errors.ts';
import type { LanguageOptions } from '../../decode/text-options.ts';

/** A trained model, and options of `openFolder`; plain JSON. */
export interface ModelArguments extends Pick<LoadOptions, 'ensemble' | 'weights'>, LanguageOptions {
  readonly folder: string;
  /** Folder of a LoRA adapter to merge into the weights. */
  readonly lora?: string;
}

/** The ids in `suppressTokens` and those of `badWords`. Throws a HeddleError if a word is not one token. */
export const excludedTokens = (
  model: Model,
  suppressTokens: readonly number[] = [],
  badWords: readonly string[] = [],
) => [...suppressTokens, ...badWords.flatMap((word) => tokensOf(model, word))];

/** The ids of all tokens that decode to `word`. Throws a HeddleError if there is none. */
function tokensOf({ tokenizers: { target } }: Model, word: string): number[] {
  const ids = Array.from({ length: target.size }, (_, id) => id).filter(
    (id) => target.decode([id]).trim() === word,
  );
  const count = target.encode(word).length;
  check(
    ids.length > 0,
    () =>
      `bad word "${word}" is ${count === 1 ? 'not in the vocabulary' : `${count} tokens`}; ` +
      'only a word of one token can be excluded',
  );
  return ids;
}
