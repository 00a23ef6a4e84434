// The op of interventions against its reference; amounts of 0 and 1 are exact.
import { expect, it } from 'vitest';
import { sizeOf } from '../../../../src/core/tensor.ts';
import { interveneOp } from '../../../../src/engine/ops/elementwise/intervene.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

for (const [shape, groups] of [
  [[1, 1], 1],
  [[3, 5, 12], 4],
  [[2, 129, 6], 6],
  [[1, 7, 10], 1],
] as const)
  it(`replaces parts of ${shape.join('x')} numbers in ${groups} groups`, async () => {
    const rows = sizeOf(shape.slice(0, -1));
    const amount = randomTensor([rows, groups], 3);
    for (const whole of [false, true]) {
      if (whole) for (const i of amount.data.keys()) amount.data[i] = i % 2;
      await checkOp(interveneOp, {
        inputs: { x: randomTensor(shape, 1), amount, value: randomTensor(shape, 2) },
        attrs: {},
        tolerance: whole ? 1e-7 : 1e-6,
      });
    }
  });

it('rejects amounts that do not fit', () => {
  const [x, value] = [0, 1].map(() => ({ dtype: 'f32', shape: [2, 3, 8] }) as const);
  const shapeOf = (amount: readonly number[]) =>
    interveneOp.shape({ x: x!, value: value!, amount: { dtype: 'f32', shape: amount } }, {});
  expect(shapeOf([6, 4]).y.shape).toEqual([2, 3, 8]);
  for (const wrong of [[6, 3], [5, 4], [6]])
    expect(() => shapeOf(wrong)).toThrow(errorAbout({ area: 'intervene', values: ['[2,3,8]', 6, 8] }));
});
