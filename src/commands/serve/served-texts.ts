// How a server translates the text of a request: by sentences, unless a guest keeps more of it, such as tags.

import type { GenerateOptions, Generation, TranslateOptions } from '../../decode/text-options.ts';
import { splitSentences } from '../../text/sentences.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';

/** What translates sentences: a model with its queue and the options of a request. */
export interface ServedSentences {
  /** Translates texts: for each its hypotheses, best first. */
  generate(
    texts: readonly string[],
    options?: TranslateOptions & Pick<GenerateOptions, 'attention'>,
  ): Promise<Generation[][]>;
  readonly tokenizers: { readonly source: Tokenizer; readonly target: Tokenizer };
}

/** Translates texts of requests. */
export interface ServedTexts {
  /** Sentences of a text, and how their translations are joined. */
  split(text: string): {
    readonly sentences: readonly string[];
    join(translations: readonly string[]): string;
  };
  /** Translates a text. */
  text(model: ServedSentences, text: string): Promise<string>;
  /** Translates HTML. Default: HTML is refused. */
  html?(model: ServedSentences, text: string): Promise<string>;
}

/** Texts as sentences. */
export const plainTexts: ServedTexts = {
  split: splitSentences,
  async text(model, text) {
    const { sentences, join } = splitSentences(text);
    const translations = await model.generate(sentences);
    return join(translations.map(([best]) => best?.text ?? ''));
  },
};
