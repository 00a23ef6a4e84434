// Products and the soft cap on the GPU.

import { it } from 'vitest';
import { multiplyOp, softcapOp } from '../../../../src/engine/ops/elementwise/products.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

for (const shape of [[1], [257], [3, 5, 19]])
  it(`multiplies and caps ${shape.join('x')} numbers, forward and backward`, async () => {
    const [a, b] = [randomTensor(shape, 1), randomTensor(shape, 2)];
    await checkOp(multiplyOp, { inputs: { a, b }, attrs: {}, wrt: ['a', 'b'], tolerance: 1.2e-7 });
    // exp has an error of a few units in the last place.
    for (const scale of [1e-3, 1, 300])
      await checkOp(softcapOp, {
        inputs: { x: randomTensor(shape, 3, scale) },
        attrs: { cap: 2 },
        wrt: ['x'],
        tolerance: 2e-6,
      });
  });
