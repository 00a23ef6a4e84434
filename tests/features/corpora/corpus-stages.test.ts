// Corpora with weights as the user gives them: files, weights, ends of stages, and messages about mistakes.
import { expect, it } from 'vitest';
import {
  type CorpusMixture,
  describeStage,
  mixedCorpus,
} from '../../../src/features/corpora/corpus-stages.ts';
import { type ExpectedError, errorAbout } from '../../support/expect-error.ts';

it('reads files with weights', () => {
  expect(mixedCorpus({ data: ['clean.tsv=0.8', 'bt=x.tsv=0.2'] }, (path) => `/${path}`)).toEqual({
    kind: 'files',
    train: { files: ['/clean.tsv', '/bt=x.tsv'] },
    stages: [{ weights: [0.8, 0.2] }],
  });
  expect(mixedCorpus({ data: { 'a.tsv': 3, 'b.tsv': 1 } })).toMatchObject({
    stages: [{ weights: [0.75, 0.25] }],
  });
  expect(mixedCorpus({ data: ['a.tsv', 'b.tsv'] })).toMatchObject({ stages: [{ weights: [0.5, 0.5] }] });
});

it('reads stages', () => {
  const stages = [
    { data: ['bt.tsv=0.9', 'clean.tsv=0.1'], steps: 100 },
    { data: { 'clean.tsv': 1 }, stalls: 2 },
    { data: ['fine.tsv'] },
  ];
  const train = { files: ['bt.tsv', 'clean.tsv', 'fine.tsv'] };
  const corpus = mixedCorpus({ stages });
  expect(corpus).toEqual({
    kind: 'files',
    train,
    stages: [
      { weights: [0.9, 0.1, 0], steps: 100 },
      { weights: [0, 1, 0], stalls: 2 },
      { weights: [0, 0, 1] },
    ],
  });
  expect(describeStage({ weights: [0.9, 0.1, 0] }, train)).toBe('90.0 % bt.tsv, 10.0 % clean.tsv');
});

const wrong: [CorpusMixture, ExpectedError][] = [
  [{ data: ['a.tsv=x'] }, { area: 'train', values: ['a.tsv', 'stage 1', 'null'] }],
  [{ data: { 'a.tsv': 0 } }, { area: 'train', values: ['a.tsv', 'stage 1', '0'] }],
  [{ data: ['a.tsv', 'a.tsv=2'] }, { area: 'train', values: ['a.tsv', 'stage 1'] }],
  [{ data: [] }, { area: 'train', values: ['stage 1'] }],
  [{ stages: [] }, { area: 'train' }],
  [{ stages: [{ data: ['a'] }, { data: ['a'] }] }, { area: 'train', values: ['stage 1'] }],
  [{ stages: [{ data: ['a'], steps: 3 }] }, { area: 'train', options: ['patience'], values: ['stage 1'] }],
  [
    { stages: [{ data: ['a'], steps: 3, stalls: 1 }, { data: ['a'] }] },
    { area: 'train', values: ['stage 1'] },
  ],
  [
    { stages: [{ data: ['a'], steps: 0 }, { data: ['a'] }] },
    { area: 'train', values: ['steps', 'stage 1', '0'] },
  ],
  [{ data: ['a'], stages: [{ data: ['a'] }] }, { area: 'train' }],
];
it.each(wrong)('refuses %j', (mixture, expected) => {
  expect(() => mixedCorpus(mixture)).toThrow(errorAbout(expected));
});
