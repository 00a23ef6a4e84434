// Built-in tasks: each target follows from its source, and equal options give equal pairs.
import { expect, it } from 'vitest';
import { taskCorpus, taskNames } from '../../../src/text/tasks/task-corpus.ts';
import { errorAbout } from '../../support/expect-error.ts';

it.each([
  ['reverse', (s: string) => [...s].reverse().join('')],
  ['sort', (s: string) => [...s].sort().join('')],
  ['addition', (s: string) => String(s.split('+').reduce((sum, n) => sum + Number(n), 0))],
  [
    'dates',
    (s: string) => {
      const at = new Date(`${s} UTC`);
      return at.toISOString().slice(0, 10);
    },
  ],
] as const)('generates the right targets of %s', (task, answer) => {
  for (const { source, target } of taskCorpus({ task, pairs: 500 }))
    expect([source, target]).toEqual([source, answer(source)]);
});

it('transliterates by letter, and е by its place', () => {
  const pairs = taskCorpus({ task: 'transliteration', pairs: 4000 });
  const latin = (start: RegExp) =>
    pairs.filter(({ source }) => start.test(source)).map(({ target }) => target);
  expect(latin(/^е/).every((t) => t.startsWith('ye'))).toBe(true);
  expect(latin(/^ше/).every((t) => t.startsWith('she'))).toBe(true);
  expect(latin(/^[аио]е/).every((t) => /^[aio]ye/.test(t))).toBe(true);
  for (const start of [/^е/, /^ше/, /^[аио]е/]) expect(latin(start).length).toBeGreaterThan(0);
  for (const { target } of pairs) expect(target).toMatch(/^[a-z]+$/);
});

it('gives equal pairs for a seed, a longer corpus that starts with the shorter one, and all pairs of a small task', () => {
  for (const task of taskNames) {
    const long = taskCorpus({ task, pairs: 300, seed: 7 });
    expect(taskCorpus({ task, pairs: 100, seed: 7 })).toEqual(long.slice(0, 100));
    expect(taskCorpus({ task, pairs: 100, seed: 8 })).not.toEqual(long.slice(0, 100));
    expect(new Set(long.map(({ source }) => source)).size).toBe(300);
  }
  expect(taskCorpus({ task: 'addition', pairs: 40_000 })).toHaveLength(10_000);
});

it('names an unknown task', () => {
  expect(() => taskCorpus({ task: 'juggle' as never, pairs: 1 })).toThrow(
    errorAbout({ area: 'corpus', values: ['juggle', 'reverse', 'sort'] }),
  );
  expect(() => taskCorpus({ task: 'sort', pairs: 0 })).toThrow(errorAbout({ area: 'sort', values: [0] }));
});
