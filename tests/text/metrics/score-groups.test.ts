// Scores of parts of a corpus: groups by length and rare words cover all sentences; the worst come first.
import { expect, it } from 'vitest';
import { analyzeCorpus } from '../../../src/text/metrics/score-groups.ts';

it('groups sentences by length and by share of rare words, and lists the worst', () => {
  const sentences = [
    { source: 'a cat', translation: 'un gato', references: ['un gato'] },
    { source: 'a cat runs', translation: 'x', references: ['un gato corre'] },
    { source: `a ${'cat '.repeat(11)}`, translation: 'un gato', references: ['un perro', 'un gato'] },
  ];
  const { byLength, byRareWords, worst } = analyzeCorpus(sentences);
  expect(byLength.map(({ group, sentences: n }) => [group, n])).toEqual([
    ['1 to 5 words', 2],
    ['11 to 20 words', 1],
  ]);
  expect(byRareWords.map(({ group, sentences: n }) => [group, n])).toEqual([
    ['no rare word', 2],
    ['25 to 50 % rare words', 1],
  ]);
  expect(worst.map(({ number }) => number)).toEqual([2, 1, 3]);
  expect(worst[0]).toMatchObject({ source: 'a cat runs', chrf: 0, bleu: 0 });
});
