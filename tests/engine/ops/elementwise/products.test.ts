// Products and the soft cap on the CPU: gradients compared with finite differences, values by hand, errors.

import { expect, it } from 'vitest';
import { f32 } from '../../../../src/core/tensor.ts';
import { takeColumnsOp } from '../../../../src/engine/ops/elementwise/columns.ts';
import { multiplyOp, softcapOp } from '../../../../src/engine/ops/elementwise/products.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkGradient, randomTensor } from '../../../support/op.ts';

it('has the gradients of a product and of a soft cap', () => {
  const [a, b] = [randomTensor([3, 7], 1), randomTensor([3, 7], 2)];
  checkGradient(multiplyOp, { inputs: { a, b }, attrs: {}, wrt: ['a', 'b'] });
  for (const cap of [1, 2.5])
    checkGradient(softcapOp, { inputs: { x: randomTensor([40], 3, 2) }, attrs: { cap }, wrt: ['x'] });
});

it('has the gradient of some columns', () => {
  const inputs = { x: randomTensor([3, 8], 4) };
  checkGradient(takeColumnsOp, { inputs, attrs: { first: 2, count: 3, scale: -0.5 }, wrt: ['x'] });
});

it('rejects other shapes and caps', () => {
  expect(() => multiplyOp.shape({ a: f32([2], []), b: f32([3], []) }, {})).toThrow(
    errorAbout({ area: 'multiply', values: ['[2]', '[3]'] }),
  );
  expect(() => softcapOp.shape({ x: f32([2], []) }, { cap: 0 })).toThrow(
    errorAbout({ area: 'softcap', values: [0] }),
  );
});
