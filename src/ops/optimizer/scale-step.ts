// Loss scaling (Micikevicius et al., 2018, "Mixed Precision Training"): gradients that pass through f16 are multiplied
// by a factor, so that small ones do not vanish, and divided by it in the update. The factor is in the optimizer's
// counters on the GPU (see clip.ts), so it is put into the step's scalars there too.

import { type Builder, defineOp, tensorType, type Value } from '../op.ts';
import { stepWords } from '../step-scalars.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { counterLength } from './clip.ts';

/**
 * step u32 [stepWords], counters f32 [8]; scaled, the step with tokenWeight times the loss scale, unchanged if that is
 * 0.
 */
export const scaleStepOp = defineOp({
  name: 'scale_step',
  inputs: ['step', 'counters'],
  outputs: ['scaled'],
  shape({ step, counters }) {
    expectStep('scale_step', step);
    expectType('scale_step', 'counters', counters, 'f32', [counterLength]);
    return { scaled: tensorType('u32', [stepWords]) };
  },
  launch: ({ step, counters }, { scaled }) => [
    {
      shader: 'clip',
      entry: 'scale_step',
      bind: { step_in: step, counters_in: counters, step_out: scaled },
      grid: [1, 1, 1],
    },
  ],
});

/** The step's scalars for a loss whose gradients are scaled. */
export const scaleStep = (builder: Builder, step: Value, counters: Value): Value =>
  builder.apply(scaleStepOp, { step, counters }).scaled;
