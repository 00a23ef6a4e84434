// Arguments of a resumed run.
import { expect, it } from 'vitest';
import { settingTable } from '../../../src/features/all-settings.ts';
import { completeSettings } from '../../../src/train/settings/run-defaults.ts';
import { resumeArguments } from '../../../src/train/settings/train-arguments.ts';
import type { TrainSettings } from '../../../src/train/settings/train-settings.ts';
import { errorAbout } from '../../support/expect-error.ts';

const corpus = { kind: 'tsv', path: '/p.tsv' } as const;
const start = {
  steps: 40,
  evalSteps: 7,
  bestMetric: 'bleu',
  patience: 3,
  devSentences: 9,
  learningRate: 5e-4,
} as const;

function resumed(first: TrainSettings, given: TrainSettings) {
  const kept = { ...completeSettings(first, 'pairs', settingTable), corpus, out: 'm', resume: false };
  return { kept, ...resumeArguments(kept, { ...given, corpus, out: 'm', resume: true }, settingTable) };
}

it('keeps all settings that are not given again', () => {
  const { kept, args, changed, ignored } = resumed(start, {});
  expect(args).toEqual({ ...kept, resume: true });
  expect([changed, ignored]).toEqual([[], []]);
  const more = resumed(start, { steps: 100, patience: 0, checkFinite: true });
  expect(more.args).toEqual({ ...kept, steps: 100, patience: 0, checkFinite: true, resume: true });
});

it('takes epochs instead of steps, and steps instead of epochs', () => {
  const { args } = resumed(start, { epochs: 12 });
  expect([args.steps, args.epochs]).toEqual([undefined, 12]);
  const other = resumed({ epochs: 3 }, { steps: 12 }).args;
  expect([other.steps, other.epochs]).toEqual([12, undefined]);
});

it('names the settings that it ignores', () => {
  const { kept, args, ignored } = resumed(start, { weightDecay: 0.1, noFuse: ['x'], seed: 1, patience: 3 });
  expect(ignored).toEqual(['noFuse', 'weightDecay']);
  expect(args).toEqual({ ...kept, resume: true });
});

it('rejects new values that a new run would reject', () => {
  expect(() => resumed(start, { patience: -3 })).toThrow(
    errorAbout({ area: 'train', options: ['patience'], values: [-3] }),
  );
  expect(() => resumed(start, { bestMetric: 'rouge' as 'bleu' })).toThrow(
    errorAbout({ area: 'train', options: ['bestMetric'], values: ['loss'] }),
  );
  expect(() => resumed(start, { stpes: 4 } as TrainSettings)).toThrow(
    errorAbout({ area: 'train', values: ['stpes'] }),
  );
});

it('takes a new learning rate, schedule, batch size and evaluation, and says what changed', () => {
  const first = { ...start, schedule: 'cosine', minLearningRate: 1e-5, batchSize: 32 } as const;
  const given = {
    learningRate: 1e-3,
    schedule: 'inverse-sqrt',
    warmupSteps: 5,
    maxTokens: 512,
    evalSteps: 9,
  } as const;
  const { args, changed } = resumed(first, given);
  expect(args).toMatchObject({ ...given, steps: 40, patience: 3 });
  expect([args.batchSize, args.minLearningRate]).toEqual([undefined, undefined]);
  expect(changed.map(({ name, now, before }) => [name, now, before])).toEqual([
    ['maxTokens', 512, undefined],
    ['learningRate', 0.001, 0.0005],
    ['schedule', 'inverse-sqrt', 'cosine'],
    ['warmupSteps', 5, undefined],
    ['evalSteps', 9, 7],
  ]);
});

it('repeats what was changed during the run, unless another value is given now', () => {
  const changes = '4 learningRate=0.002 dropout=0.4; 8 evalSteps=3';
  const first = { ...start, changes };
  expect(resumed(first, { steps: 90, learningRate: 5e-4 }).args.changes).toBe(changes);
  const { args } = resumed(first, { learningRate: 1e-3, evalSteps: 9 });
  expect([args.learningRate, args.evalSteps, args.changes]).toEqual([1e-3, 9, '4 dropout=0.4']);
});
