// Optimizers as plain data: defaults, the states they keep, and errors that name the field.

import { describe, expect, it } from 'vitest';
import { parameterList } from '../../../src/model/parameters.ts';
import {
  type OptimizerConfig,
  optimizerConfig,
  optimizerNames,
  optimizerStates,
} from '../../../src/train/update/optimizer-config.ts';
import { trainableParameters } from '../../../src/train/update/trainable-parameters.ts';
import { trainingGraph, updateGraph } from '../../../src/train/update/training-graphs.ts';
import { type ExpectedError, errorAbout } from '../../support/expect-error.ts';
import { smallModel } from '../../support/model.ts';

describe('an optimizer', () => {
  it("has the paper's settings of Adam, and Keras's epsilon for RMSprop", () => {
    expect(optimizerConfig()).toMatchObject({
      kind: 'adamw',
      beta1: 0.9,
      beta2: 0.98,
      eps: 1e-9,
      clipNorm: 1,
    });
    expect(optimizerConfig({ kind: 'rmsprop' }).eps).toBe(1e-7);
    expect(optimizerConfig({ kind: 'rmsprop', eps: 1e-6 }).eps).toBe(1e-6);
  });

  it('has the states of its graphs in addition to weights and gradients', () => {
    const { c, p } = smallModel();
    for (const kind of optimizerNames)
      for (const emaDecay of [0, 0.99]) {
        const o = optimizerConfig({ kind, emaDecay });
        const graph = trainingGraph(c, p, { batch: 1, source: 2, target: 2 }, o);
        const own = [...graph.states.keys()].filter(
          (name) => !/^(weights|gradients|positions|norm\.)/.test(name),
        );
        expect(own.sort()).toEqual(optimizerStates(o).sort());
        const update = [...updateGraph(trainableParameters(c, parameterList(c)), o).states.keys()];
        expect(update.sort()).toEqual(['accumulated', 'weights', ...optimizerStates(o)].sort());
      }
  });

  const cases: [Partial<OptimizerConfig>, ExpectedError][] = [
    [
      { kind: 'unknown' as 'adam' },
      { area: 'optimizer', options: ['kind'], values: ['"unknown"', 'adamw', 'adam', 'rmsprop'] },
    ],
    [{ beta1: 1 }, { area: 'optimizer', options: ['beta1'], values: [1, 0] }],
    [{ beta2: Number.NaN }, { area: 'optimizer', options: ['beta2'], values: [0, 1] }],
    [{ rho: -0.1 }, { area: 'optimizer', options: ['rho'], values: [-0.1, 0, 1] }],
    [{ momentum: 2 }, { area: 'optimizer', options: ['momentum'], values: [2] }],
    [{ emaDecay: 1 }, { area: 'optimizer', options: ['emaDecay'], values: [1] }],
    [{ weightDecay: -1 }, { area: 'optimizer', options: ['weightDecay'], values: [-1, 0] }],
    [{ clipNorm: Number.POSITIVE_INFINITY }, { area: 'optimizer', options: ['clipNorm'], values: [0] }],
    [{ eps: 0 }, { area: 'optimizer', options: ['eps'], values: [0, 1] }],
  ];
  for (const [wrong, expected] of cases)
    it(`is rejected: ${expected}`, () => {
      expect(() => optimizerConfig(wrong)).toThrow(errorAbout(expected));
    });
});
