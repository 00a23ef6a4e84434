// The terms on the pages: each has a sentence and a chapter that uses the word.
import { expect, it } from 'vitest';
import { chapterOf, termNames } from '../../demo/common/terms.ts';
import { chapters } from '../../demo/learn/chapters.ts';

it.each(termNames)('%s has a chapter with the word', (name) => {
  const chapter = chapters.find(({ id }) => id === chapterOf(name));
  expect(`${chapter?.title} ${chapter?.text.join(' ')}`.toLowerCase()).toContain(name.toLowerCase());
});
