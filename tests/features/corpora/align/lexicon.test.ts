// Word alignment: a lexicon finds the translations of words in any order, and both directions are joined.
import { expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { runSteps } from '../../../../src/core/steps.ts';
import { lexiconSteps, symmetrized, WordAligner } from '../../../../src/features/corpora/align/lexicon.ts';
import { wordsOf } from '../../../../src/text/tokenizers/token-words.ts';
import { wordPairs } from '../../../support/word-pairs.ts';

const stream = random(3);
/** Pairs of shuffled words; the target has an article that nothing in the source stands for. */
const pairs = Array.from({ length: 300 }, () => {
  const chosen = stream.shuffle([...wordPairs]).slice(0, 2 + stream.int(4));
  const order = stream.shuffle([...chosen]);
  return {
    source: chosen.map(([s]) => s).join(' '),
    target: `El ${order.map(([, t]) => t).join(' ')}.`,
    chosen,
    order,
  };
});

it('aligns words', () => {
  const aligner = new WordAligner(runSteps(lexiconSteps(pairs)));
  let [wrong, all] = [0, 0];
  for (const { source, target, chosen, order } of pairs.slice(0, 50)) {
    const found = aligner.align(wordsOf(source), wordsOf(target)).slice(1);
    all += found.length;
    wrong += found.filter((i, j) => chosen[i]?.[1] !== order[j]?.[1]).length;
  }
  // The order is random, which the prior of the diagonal does not expect.
  expect(wrong / all).toBeLessThan(0.05);
});

it('aligns words that both sides have', () => {
  const aligner = new WordAligner(runSteps(lexiconSteps(pairs)));
  expect(aligner.align(['red', 'Xyz9'], ['Xyz9', 'rojo'])).toEqual([1, 0]);
});

it('joins both directions', () => {
  // forward: target 0 -> 0, 1 -> 1, 2 -> 1; backward: source 0 -> 0, 1 -> 1, 2 -> -1.
  expect(symmetrized([0, 1, 1], [0, 1, -1])).toEqual([
    [0, 0],
    [1, 1],
    [1, 2],
  ]);
  expect(symmetrized([-1, 2], [-1, -1, 1])).toEqual([[2, 1]]);
  expect(symmetrized([], [])).toEqual([]);
});
