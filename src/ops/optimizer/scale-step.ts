// Loss scaling (Micikevicius et al., 2018, "Mixed Precision Training"): gradients that pass through f16 are made larger by a factor, so
// that small ones do not vanish, and smaller again in the update. The factor lives in the optimizer's counters on the GPU (see
// clip.ts), so it goes into the step's scalars there too.

import { expectStep, expectType } from '../expect.ts';
import { type Builder, defineOp, type Value } from '../op.ts';
import { createStepWriter, readStep, stepWords } from '../step-scalars.ts';
import { counterAt, counterLength } from './clip.ts';

/** Inputs step u32 [stepWords], counters f32 [8]; output the step with tokenWeight times the loss scale, or as it was where that is 0. */
export const scaleStepOp = defineOp({
  name: 'scale_step',
  shape([step, counters]) {
    expectStep('scale_step', step);
    expectType('scale_step', 'counters', counters, 'f32', [counterLength]);
    return [{ dtype: 'u32', shape: [stepWords] }];
  },
  launch: ({ inputs, outputs }) => [
    {
      shader: 'scale-step',
      entry: 'scale_step',
      bind: { step_in: inputs[0]!, counters: inputs[1]!, step_out: outputs[0]! },
      grid: [1, 1, 1],
    },
  ],
  reference({ inputs: [step, counters], outputs: [scaled] }) {
    const scalars = readStep(step!.data);
    const words = new Uint32Array(stepWords);
    createStepWriter(words)({
      ...scalars,
      tokenWeight: scalars.tokenWeight * (counters!.data[counterAt.lossScale] || 1),
    });
    scaled!.data.set(words);
  },
});

/** The step's scalars for a loss whose gradients are scaled. */
export const scaleStep = (b: Builder, step: Value, counters: Value): Value =>
  b.apply(scaleStepOp, [step, counters], {})[0]!;
