// Warnings about pairs that make results mislead.
import { expect, it } from 'vitest';
import { type Message, renderMessage } from '../../../src/core/message.ts';
import { runSteps } from '../../../src/core/steps.ts';
import { corpusWarnings } from '../../../src/text/corpus/corpus-warnings.ts';
import { holeValues } from '../../support/expect-error.ts';

const pairs = (n: number, first = 0) =>
  Array.from({ length: n }, (_, i) => ({ source: `text ${first + i}`, target: `texto ${first + i}` }));

it('names the numbers of dev and test pairs that are training pairs', () => {
  const [train, dev, test] = [pairs(100), pairs(20, 90), pairs(5, 99)];
  const [first, second] = runSteps(corpusWarnings({ train, dev, test }));
  expect([first, second].map(holeValues)).toEqual([
    ['10 of 20', 'dev'],
    ['1 of 5', 'test'],
  ]);
  expect(renderMessage(first as Message)).toMatch(/^10 of 20 dev pairs are also training pairs, so their/);
});

it('names a pair that makes up much of the training pairs', () => {
  const train = [...pairs(100), ...Array(300).fill({ source: 'Hello.', target: 'Hola.' })];
  const warnings = runSteps(corpusWarnings({ train, dev: [], test: [] }));
  expect(warnings.map((warning) => renderMessage(warning))).toEqual([
    'the pair "Hello." makes up 75.0 % of the training pairs; remove its copies',
  ]);
});

it('is silent about a usual corpus', () => {
  expect(
    runSteps(corpusWarnings({ train: pairs(1000), dev: pairs(50, 1000), test: pairs(5, 2000) })),
  ).toEqual([]);
});

it('finds dev pairs that differ in case, spaces and Unicode form', () => {
  const train = [...pairs(60), { source: 'Señor Gil', target: 'Mister  Gil' }];
  const dev = [
    { source: 'sen\u0303or gil ', target: 'MISTER GIL' },
    { source: 'Text  5', target: 'texto 5' },
    { source: 'text 6', target: 'otro' },
  ];
  const warnings = runSteps(corpusWarnings({ train, dev, test: [] }));
  expect(warnings.map(holeValues)).toEqual([['2 of 3', 'dev']]);
});

it('names the sources of dev pairs that have other targets in training, if they are many', () => {
  const dev = (known: number) => [
    ...pairs(100 - known, 1000),
    ...pairs(known).map(({ source }, i) => ({ source, target: `otro ${i}` })),
  ];
  const found = (known: number) => runSteps(corpusWarnings({ train: pairs(200), dev: [], test: dev(known) }));
  expect(found(20)).toEqual([]);
  expect(found(21).map((warning) => renderMessage(warning))).toEqual([
    '21 of 100 sources of the test pairs are also in training, with other targets, so their metrics are ' +
      'better than those of new texts; remove them from one of the two',
  ]);
});
