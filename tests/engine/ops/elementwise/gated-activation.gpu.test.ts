// The gated activation on the GPU, forward and backward.

import { describe, it } from 'vitest';
import type { Shape } from '../../../../src/core/tensor.ts';
import { gatedActivationBackwardOp } from '../../../../src/engine/ops/elementwise/activation-backward.ts';
import { gatedActivationOp } from '../../../../src/engine/ops/elementwise/gated-activation.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

// Odd widths, more threads than a workgroup.
const shapes: Shape[] = [
  [1, 6],
  [3, 10],
  [2, 5, 26],
  [17, 264],
];

describe.each(['relu', 'gelu', 'gelu-tanh', 'silu'] as const)('gated_activation of %s', (kind) => {
  it.each(shapes)('of %o', async (...shape) => {
    // Large inputs: tanh and sigmoid must not overflow.
    for (const scale of [1, 100])
      await checkOp(gatedActivationOp, {
        inputs: { x: randomTensor(shape, 1, scale) },
        attrs: { kind },
        wrt: ['x'],
        tolerance: 1e-6,
        gradTolerance: 3e-6,
      });
  });

  it('has its gradient in one op', async () => {
    await checkOp(gatedActivationBackwardOp, {
      inputs: { x: randomTensor([5, 14], 1), dy: randomTensor([5, 7], 2) },
      attrs: { kind },
      tolerance: 1e-6,
    });
  });
});
