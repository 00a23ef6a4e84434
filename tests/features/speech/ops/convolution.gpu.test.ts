// Convolutions over time and the ops around them, on the GPU.

import { describe, expect, it } from 'vitest';
import { addPositionsOp } from '../../../../src/features/speech/ops/add-positions.ts';
import { arrangeTapsOp } from '../../../../src/features/speech/ops/arrange-taps.ts';
import { convolutionOp } from '../../../../src/features/speech/ops/convolution.ts';
import { convolutionBackwardOp } from '../../../../src/features/speech/ops/convolution-backward.ts';
import { moveFramesOp } from '../../../../src/features/speech/ops/move-frames.ts';
import { errorAbout, noF16 } from '../../../support/expect-error.ts';
import { fewerInChrome, gpuDevice, sample } from '../../../support/gpu.ts';
import { checkOp, randomTensor } from '../../../support/op.ts';

// Rows, frames, channels, outputs, stride: odd widths, one frame, more windows than a tile, a long K.
const all = [
  { B: 2, T: 7, C: 3, D: 5, stride: 2 },
  { B: 3, T: 8, C: 8, D: 18, stride: 2 },
  { B: 2, T: 1, C: 4, D: 4, stride: 1 },
  { B: 2, T: 40, C: 18, D: 18, stride: 2 },
  { B: 1, T: 70, C: 12, D: 20, stride: 1 },
  { B: 2, T: 40, C: 176, D: 24, stride: 1 },
];
/** In npm test odd widths, whole vectors and one frame; in Chrome whole vectors. */
const cases = fewerInChrome(
  sample(all, ({ C }) => C < 12),
  ({ C }) => C === 8,
);

describe.each(cases)('a convolution of $B rows of $T frames of $C with stride $stride', (size) => {
  const { B, T, C, D, stride } = size;
  const frames = Math.ceil((T + 2) / stride) * stride;
  const length = Math.floor((T - 1) / stride) + 1;
  const x = randomTensor([B, frames, C], 1);
  const w = randomTensor([D, 3 * C], 2, 0.3);

  it('is that of the reference, with the gradients of all inputs', async () => {
    await checkOp(convolutionOp, {
      inputs: { x, w, b: randomTensor([D], 3) },
      attrs: { stride, length, activation: 'gelu' },
      wrt: ['x', 'w', 'b'],
      gradTolerance: 2e-5,
    });
  });

  it('stores frames as f16', async () => {
    const attrs = { stride, length, activation: 'none' } as const;
    const inputs = { x, w, b: undefined };
    const checked = checkOp(convolutionOp, { inputs, attrs, f16: true, tolerance: 1e-3 });
    if ((await gpuDevice()).features.has('shader-f16')) await checked;
    else await expect(checked).rejects.toThrow(errorAbout(noF16));
  });

  it('has the gradients of weights and bias of the reference', async () => {
    const dy = randomTensor([B, frames / stride, D], 4);
    for (const i of dy.data.keys()) if (Math.floor(i / D) % (frames / stride) >= length) dy.data[i] = 0;
    await checkOp(convolutionBackwardOp, {
      inputs: { dy, x },
      attrs: { taps: 3, stride, length, db: true },
    });
  });
});

it.each([-1, 0, 2])('moves frames by %i', async (first) => {
  await checkOp(moveFramesOp, {
    inputs: { x: randomTensor([3, 5, 6], 1) },
    attrs: { first, length: 7, width: 6 },
    wrt: ['x'],
    tolerance: 0,
    gradTolerance: 1e-6,
  });
});

it('moves frames that share a row', async () => {
  const attrs = { first: 1, length: 10, width: 3 };
  await checkOp(moveFramesOp, { inputs: { x: randomTensor([2, 4, 6], 1) }, attrs, tolerance: 0 });
});

it.each(['tap', 'channel', 'transposed'] as const)('orders weights by %s', async (order) => {
  for (const stride of [1, 2])
    await checkOp(arrangeTapsOp, {
      inputs: { x: randomTensor(order === 'tap' ? [4, 5, 3] : [4, 15], 1) },
      attrs: { order, taps: 3, stride },
      wrt: order === 'tap' ? ['x'] : undefined,
      tolerance: 0,
      gradTolerance: 1e-6,
    });
});

it('adds positions, which may be trained', async () => {
  await checkOp(addPositionsOp, {
    inputs: { x: randomTensor([3, 5, 6], 1), positions: randomTensor([7, 6], 2) },
    attrs: { learned: true },
    wrt: ['x', 'positions'],
  });
});
