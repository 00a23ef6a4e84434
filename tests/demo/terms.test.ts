// The terms on the pages: each has a sentence and a chapter that uses the word.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { chapterOf, termNames } from '../../demo/common/terms.ts';
import { chapters } from '../../demo/learn/chapters.ts';

it.each(termNames)('%s has a chapter with the word', (name) => {
  const chapter = chapters.find(({ id }) => id === chapterOf(name));
  expect(`${chapter?.title} ${chapter?.text.join(' ')}`.toLowerCase()).toContain(name.toLowerCase());
});

it.each(['train', 'learn', 'lab', 'code', 'documents', 'speech', 'language'])(
  'the page %s explains its terms',
  (page) => {
    const folder = join(import.meta.dirname, '../../demo', page);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const lists = files.filter((name) => readFileSync(join(folder, name), 'utf8').match(/\bterm(List)?\(/));
    expect(lists).not.toEqual([]);
  },
);
