// Trains tokenizers on a list of texts, without steps.
import type { Steps } from '../../src/core/steps.ts';
import { type BpeOptions, bpeRules, bpeSteps } from '../../src/text/tokenizers/bpe-training.ts';
import type { TextRules } from '../../src/text/tokenizers/normalization.ts';
import type { Tokenizer } from '../../src/text/tokenizers/tokenizer.ts';
import {
  characterRules,
  characterSteps,
  createCounter,
  type WordOptions,
  wordRules,
  wordSteps,
} from '../../src/text/tokenizers/vocabulary-training.ts';

function runSteps<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function countTexts(texts: Iterable<string>, rules: TextRules): Map<string, number> {
  const counter = createCounter(rules);
  for (const text of texts) counter.add(text);
  return counter.counts();
}

export const trainWords = (texts: Iterable<string>, options: WordOptions): Tokenizer =>
  runSteps(wordSteps(countTexts(texts, wordRules(options)), options));

export const trainCharacters = (
  texts: Iterable<string>,
  options: { size?: number; lowercase?: boolean } = {},
): Tokenizer => runSteps(characterSteps(countTexts(texts, characterRules(options)), options));

export const trainBpe = (texts: Iterable<string>, options: BpeOptions): Tokenizer =>
  runSteps(bpeSteps(countTexts(texts, bpeRules(options)), options));
