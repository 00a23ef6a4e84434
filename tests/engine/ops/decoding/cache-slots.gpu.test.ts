// The table of KV cache slots of a decoding step on the GPU.

import { expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { cacheSlotsOp } from '../../../../src/engine/ops/decoding/cache-slots.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkOp, integers } from '../../../support/op.ts';
import { runOp } from '../../../support/run-op.ts';

for (const { B, beams, T, position } of [
  { B: 1, beams: 1, T: 1, position: 0 },
  { B: 5, beams: 1, T: 13, position: 12 },
  { B: 2, beams: 3, T: 9, position: 0 },
  { B: 3, beams: 4, T: 23, position: 7 },
  { B: 1, beams: 64, T: 5, position: 4 },
  { B: 9, beams: 2, T: 131, position: 130 },
])
  it(`follows the parents of ${B} sentences of ${beams} beams at position ${position} of ${T}`, async () => {
    const [R, r] = [B * beams, random(B, beams, T)];
    const any = (n: number, below: number) => Array.from({ length: n }, () => r.int(below));
    // Every third token is padding, id 2.
    const inputs = {
      newest: integers('i32', [R, 1], any(R, 3)),
      parents: integers('i32', [R], any(R, beams)),
      slots: integers('u32', [R, T], any(R * T, 1000)),
      tokens: integers('i32', [R, T], any(R * T, 1000)),
      step: 'step' as const,
    };
    await checkOp(cacheSlotsOp, { inputs, attrs: { beams, padId: 2 }, step: { position }, tolerance: 0 });
  });

it('hides padding, except at the start', async () => {
  const slotsAt = async (position: number) => {
    const inputs = {
      newest: integers('i32', [2, 1], [0, 7]),
      parents: integers('i32', [2], [0, 0]),
      slots: integers('u32', [2, 4], []),
      tokens: integers('i32', [2, 4], []),
      step: 'step' as const,
    };
    const { states } = await runOp(cacheSlotsOp, inputs, { beams: 1, padId: 0 }, { step: { position } });
    return [states.slots[position], states.slots[4 + position]];
  };
  expect(await slotsAt(0)).toEqual([0, 0]);
  expect(await slotsAt(2)).toEqual([2 ** 31 + 2, 2]);
});

it('rejects rows that are not a whole number of sentences', () => {
  const types = {
    newest: { dtype: 'i32', shape: [5, 1] },
    parents: { dtype: 'i32', shape: [5] },
    slots: { dtype: 'u32', shape: [5, 3] },
    tokens: { dtype: 'i32', shape: [5, 3] },
    step: { dtype: 'u32', shape: [8] },
  } as const;
  expect(() => cacheSlotsOp.shape(types, { beams: 2, padId: 0 })).toThrow(
    errorAbout({ area: 'cache_slots', values: [5, 2] }),
  );
});
