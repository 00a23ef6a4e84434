// Warnings about pairs that make results mislead.
import { expect, it } from 'vitest';
import { runSteps } from '../../../src/core/steps.ts';
import { corpusWarnings } from '../../../src/text/corpus/corpus-warnings.ts';

const pairs = (n: number, first = 0) =>
  Array.from({ length: n }, (_, i) => ({ source: `text ${first + i}`, target: `texto ${first + i}` }));

it('names the numbers of dev and test pairs that are training pairs', () => {
  const [train, dev, test] = [pairs(100), pairs(20, 90), pairs(5, 99)];
  expect(runSteps(corpusWarnings({ train, dev, test }))).toEqual([
    expect.stringMatching(/^10 of 20 dev pairs are also training pairs, /),
    expect.stringMatching(/^1 of 5 test pairs are also training pairs, /),
  ]);
});

it('names a pair that makes up much of the training pairs', () => {
  const train = [...pairs(100), ...Array(300).fill({ source: 'Hello.', target: 'Hola.' })];
  expect(runSteps(corpusWarnings({ train, dev: [], test: [] }))).toEqual([
    'the pair "Hello." makes up 75.0 % of the training pairs; remove its copies',
  ]);
});

it('is silent about a usual corpus', () => {
  expect(
    runSteps(corpusWarnings({ train: pairs(1000), dev: pairs(50, 1000), test: pairs(5, 2000) })),
  ).toEqual([]);
});
