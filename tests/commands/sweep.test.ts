// The runs of a sweep, from --grid and several seeds.

import { describe, expect, it } from 'vitest';
import { sweepRuns } from '../../src/commands/sweep.ts';
import { parseSetting } from '../../src/commands/train-flags.ts';
import { type ExpectedError, errorAbout } from '../support/expect-error.ts';

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

  it.each<[string[], string[], ExpectedError]>([
    [['foo=1'], [], { area: '--grid foo=1', values: ['foo'] }],
    [['learningRate'], [], { area: '--grid learningRate' }],
    [['learningRate=1e-3,-1'], [], { values: ['--grid learningRate=', '-1'] }],
    [['learningRate=1,,2'], [], { area: '--grid learningRate=1,,2' }],
    [['steps=1,1'], [], { area: '--grid steps=1,1' }],
    [['learningRate=1e-3,0.001'], [], { area: '--grid learningRate=1e-3,0.001' }],
    [['tokenizerFile=a/b,a-b'], [], { area: '--grid tokenizerFile=a/b,a-b' }],
    [[], ['1', '01'], { area: '--seed 1,01' }],
    [[], ['1', '', '2'], { area: '--seed 1,,2' }],
    [['seed=1'], ['1', '2'], { area: '--grid', values: ['seed'] }],
    [[], ['1', 'x'], { values: ['--seed ', 'x'] }],
  ])('rejects %j with seeds %j', (grid, seeds, expected) => {
    expect(() => runs(grid, seeds)).toThrow(errorAbout(expected));
  });
});
