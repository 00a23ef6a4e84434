// The runs of a sweep, from --grid and several seeds.

import { describe, expect, it } from 'vitest';
import { sweepRuns } from '../../src/commands/sweep.ts';
import { parseSetting } from '../../src/commands/train-flags.ts';

const runs = (grid: readonly string[], seeds: readonly string[] = []) =>
  sweepRuns({ steps: 4 }, grid, seeds, parseSetting);

describe('a sweep', () => {
  it('has all combinations, the seeds last', () => {
    expect(runs([], ['1', '2'])).toEqual([
      { name: 'seed-1', settings: { steps: 4, seed: 1 } },
      { name: 'seed-2', settings: { steps: 4, seed: 2 } },
    ]);
    expect(runs(['learningRate=1e-3,3e-3', '--warmup-steps=1,2'], ['7'])).toEqual([
      {
        name: 'learningRate-1e-3_warmupSteps-1_seed-7',
        settings: { steps: 4, learningRate: 1e-3, warmupSteps: 1, seed: 7 },
      },
      {
        name: 'learningRate-1e-3_warmupSteps-2_seed-7',
        settings: { steps: 4, learningRate: 1e-3, warmupSteps: 2, seed: 7 },
      },
      {
        name: 'learningRate-3e-3_warmupSteps-1_seed-7',
        settings: { steps: 4, learningRate: 3e-3, warmupSteps: 1, seed: 7 },
      },
      {
        name: 'learningRate-3e-3_warmupSteps-2_seed-7',
        settings: { steps: 4, learningRate: 3e-3, warmupSteps: 2, seed: 7 },
      },
    ]);
  });

  it('has a folder of TensorBoard for each run', () => {
    const all = sweepRuns({ tensorboard: 'tb' }, [], ['1', '2'], parseSetting);
    expect(all.map(({ settings }) => settings.tensorboard)).toEqual(['tb/seed-1', 'tb/seed-2']);
  });

  it.each([
    [
      ['foo=1'],
      [],
      '--grid foo=1: write a setting and its values, for example learningRate=1e-3,3e-3; there is no setting foo',
    ],
    [['learningRate'], [], '--grid learningRate: write a setting and its values'],
    [['learningRate=1e-3,-1'], [], '--grid learningRate=-1: It must be a number above 0.'],
    [['learningRate=1,,2'], [], 'a value is empty'],
    [['steps=1,1'], [], '--grid steps=1,1: a value occurs twice'],
    [['learningRate=1e-3,0.001'], [], 'a value occurs twice'],
    [['tokenizerFile=a/b,a-b'], [], 'a value occurs twice'],
    [[], ['1', '01'], '--seed 1,01: a value occurs twice'],
    [[], ['1', '', '2'], '--seed 1,,2: a value is empty'],
    [['seed=1'], ['1', '2'], '--grid: seed is given twice; name all its values at once'],
    [[], ['1', 'x'], '--seed x: It must be a whole number of at least 0.'],
  ])('rejects %j with seeds %j', (grid, seeds, message) => {
    expect(() => runs(grid, seeds)).toThrow(message);
  });
});
