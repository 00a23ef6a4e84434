// The step's scalars with the loss scale in them: every other word stays as it is, bit by bit.

import { expect, it } from 'vitest';
import { f32 } from '../../../../src/core/tensor.ts';
import { counterAt, scaleStepOp } from '../../../../src/engine/ops/optimizer/clip.ts';
import { readStep, type StepScalars, stepWords, writeStep } from '../../../../src/engine/ops/step-scalars.ts';
import { runOp } from '../../../support/run-op.ts';

for (const [lossScale, factor] of [
  [65536, 65536],
  [0, 1],
] as const)
  it(`multiplies the weight of a token by a loss scale of ${lossScale}: ${factor} times as much`, async () => {
    // A seed whose bits are a NaN, and others that are denormal.
    const step: StepScalars = {
      learningRate: 1e-3,
      tokenWeight: 1 / 3,
      seed: 0x7fc00001,
      step: 17,
      keep: 1,
      position: 3,
    };
    const counters = f32([8], new Float32Array(8));
    counters.data[counterAt.lossScale] = lossScale;
    const { outputs } = await runOp(scaleStepOp, { step: 'step', counters }, {}, { step });
    const words = new Uint32Array(stepWords);
    writeStep(words, { ...step, tokenWeight: Math.fround(step.tokenWeight) * factor });
    expect(outputs.scaled).toEqual(words);
    expect(readStep(outputs.scaled).seed).toBe(step.seed);
  });
