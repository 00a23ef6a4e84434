// The plan of a training: what it says about the corpus.
import { expect, it } from 'vitest';
import { notesOf } from '../../src/api/plan-training.ts';

it('keeps messages and warnings about the corpus, and no progress', () => {
  expect(notesOf({ type: 'message', text: 'a.tsv: line 3 (no tab)' })).toEqual(['a.tsv: line 3 (no tab)']);
  expect(notesOf({ type: 'warning', text: 'more than 2 % unknown tokens' })).toEqual([
    'more than 2 % unknown tokens',
  ]);
  const progress = {
    type: 'progress',
    task: 'tokenize',
    done: 9,
    total: 9,
    text: 'pairs, 1,739 pairs/s, 0 s left',
  } as const;
  expect(notesOf(progress)).toEqual([]);
});
