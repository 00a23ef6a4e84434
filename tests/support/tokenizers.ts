// Trains tokenizers on a list of texts, without steps.
import type { Steps } from '../../src/core/steps.ts';
import { bpeSteps } from '../../src/text/tokenizers/bpe-training.ts';
import type { Tokenizer, TokenizerKind } from '../../src/text/tokenizers/tokenizer.ts';
import {
  characterSteps,
  createCounter,
  type VocabularyOptions,
  wordSteps,
} from '../../src/text/tokenizers/vocabulary-training.ts';

function runSteps<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function countTexts(texts: Iterable<string>, kind: TokenizerKind, { lowercase }: VocabularyOptions) {
  const counter = createCounter(kind, lowercase);
  for (const text of texts) counter.add(text);
  return counter.counts();
}

export const trainWords = (texts: Iterable<string>, options: VocabularyOptions): Tokenizer =>
  runSteps(wordSteps(countTexts(texts, 'word', options), options));

export function trainCharacters(texts: Iterable<string>, given: Partial<VocabularyOptions> = {}): Tokenizer {
  const options = { size: 1_000_000, ...given };
  return runSteps(characterSteps(countTexts(texts, 'char', options), options));
}

export const trainBpe = (texts: Iterable<string>, options: VocabularyOptions): Tokenizer =>
  runSteps(bpeSteps(countTexts(texts, 'bpe', options), options));
