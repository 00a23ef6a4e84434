// norm_sums on the GPU: the second stage of the gradients of gamma and beta, for several norms at once.

import { it } from 'vitest';
import { alignedSize } from '../../../../src/core/tensor.ts';
import { normSumsOp } from '../../../../src/engine/ops/elementwise/column-sum.ts';
import '../../../support/gpu.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

for (const [count, rows, cols] of [
  [1, 1, 64],
  [3, 2, 128],
  [2, 130, 64],
  [17, 32, 256],
] as const)
  it(`sums ${rows} rows of ${count} norms of width ${cols}`, async () => {
    const stride = alignedSize(rows * 2 * cols);
    // Sums of up to 130 float32 numbers: the rounding of each addition, 6e-8, at most 130 times.
    const tolerance = 8e-6;
    await checkOp(normSumsOp, {
      inputs: { partials: randomTensor([count * stride], 1) },
      attrs: { count, rows, cols, stride },
      tolerance,
    });
  });
