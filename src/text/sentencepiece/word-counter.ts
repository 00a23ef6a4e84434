// Counts the words that a SentencePiece tokenizer is trained on.

import { ownText, type TextCounter } from '../tokenizers/vocabulary-training.ts';
import { createWordSplitter, type RunOptions } from './text-runs.ts';

/** Counts the words of normalized texts. */
export function createWordCounter(options: RunOptions): TextCounter {
  const split = createWordSplitter(options);
  const counters = new Map<string, { n: number }>();
  const onWord = (word: string) => {
    const counter = counters.get(word);
    if (counter) counter.n++;
    else counters.set(ownText(word), { n: 1 });
  };
  return {
    add: (text) => split(text, onWord),
    counts: () => new Map(Array.from(counters, ([word, { n }]) => [word, n])),
  };
}
