// One step of an SSRU in decoding on the GPU.

import { expect, it } from 'vitest';
import { ssruStepOp } from '../../../../src/engine/ops/recurrence/ssru-step.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkOp, integers, randomTensor } from '../../../support/op.ts';

for (const { B, beams, D, position } of [
  { B: 1, beams: 1, D: 1, position: 0 },
  { B: 3, beams: 1, D: 20, position: 5 },
  { B: 2, beams: 4, D: 7, position: 2 },
  { B: 5, beams: 3, D: 64, position: 1 },
])
  it(`continues ${B} sentences of ${beams} beams with ${D} channels at position ${position}`, async () => {
    const R = B * beams;
    const inputs = {
      x: randomTensor([R, 1, 2 * D], 1),
      bias: randomTensor([D], 2),
      parents: integers(
        'i32',
        [R],
        Array.from({ length: R }, (_, r) => (r * 2 + 1) % beams),
      ),
      state: randomTensor([R, 2, D], 3),
      step: 'step' as const,
    };
    await checkOp(ssruStepOp, { inputs, attrs: { beams }, step: { position }, tolerance: 1e-6 });
  });

it('rejects rows that are not a whole number of sentences', () => {
  const types = {
    x: { dtype: 'f32', shape: [5, 1, 8] },
    bias: { dtype: 'f32', shape: [4] },
    parents: { dtype: 'i32', shape: [5] },
    state: { dtype: 'f32', shape: [5, 2, 4] },
    step: { dtype: 'u32', shape: [8] },
  } as const;
  expect(() => ssruStepOp.shape(types, { beams: 2 })).toThrow(
    errorAbout({ area: 'ssru_step', values: [5, 2] }),
  );
});
