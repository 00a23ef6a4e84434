// Optimizers as plain data: defaults, the states they keep, and errors that name the field.

import { describe, expect, it } from 'vitest';
import { HeddleError } from '../../../src/core/errors.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import {
  type OptimizerConfig,
  optimizerConfig,
  optimizerNames,
  optimizerStates,
} from '../../../src/train/update/optimizer-config.ts';
import { trainableParameters } from '../../../src/train/update/trainable-parameters.ts';
import { trainingGraph, updateGraph } from '../../../src/train/update/training-graphs.ts';
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

  const cases: [Partial<OptimizerConfig>, string][] = [
    [
      { kind: 'unknown' as 'adam' },
      'optimizer: kind is "unknown", it must be one of adamw, adam, rmsprop, sgd',
    ],
    [{ beta1: 1 }, 'optimizer: beta1 is 1, it must be a number of at least 0 and below 1'],
    [{ beta2: Number.NaN }, 'optimizer: beta2 is NaN'],
    [{ rho: -0.1 }, 'optimizer: rho is -0.1'],
    [{ momentum: 2 }, 'optimizer: momentum is 2'],
    [{ emaDecay: 1 }, 'optimizer: emaDecay is 1'],
    [{ weightDecay: -1 }, 'optimizer: weightDecay is -1, it must be a number of at least 0'],
    [
      { clipNorm: Number.POSITIVE_INFINITY },
      'optimizer: clipNorm is Infinity, it must be a number of at least 0',
    ],
    [{ eps: 0 }, 'optimizer: eps is 0, it must be a number above 0 and below 1'],
  ];
  for (const [wrong, message] of cases)
    it(`is rejected: ${message}`, () => {
      expect(() => optimizerConfig(wrong)).toThrow(HeddleError);
      expect(() => optimizerConfig(wrong)).toThrow(message);
    });
});
