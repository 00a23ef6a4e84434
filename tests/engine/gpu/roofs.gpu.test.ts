// The kernels that measure bandwidth and peak: what they compute, and the measured rates.
import { expect, it } from 'vitest';
import { wrapDevice } from '../../../src/engine/gpu/device.ts';
import { copyOp, measureRoofs, multiplyAddOp } from '../../../src/engine/gpu/roofs.ts';
import { gpuDevice } from '../../support/gpu.ts';
import { checkOp, randomTensor } from '../../support/op.ts';

it.each([1, 255, 256, 257, 16 * 1024 + 3])('copies %i numbers', async (count) => {
  // Nothing is rounded.
  await checkOp(copyOp, { inputs: { x: randomTensor([count], 1) }, attrs: {}, tolerance: 0 });
});

it.each([true, false])('computes the chains of multiply-adds, fused: %s', async (fused) => {
  const attrs = { rounds: 2, a: -0.9, b: 1, chains: 4, fused };
  await checkOp(multiplyAddOp, { inputs: { x: randomTensor([65, 4], 2) }, attrs });
});

it('measures bandwidth and peak, each with the fastest kernel', async () => {
  const device = wrapDevice(await gpuDevice());
  const { bandwidth, peak } = await measureRoofs(device, { span: 1, rounds: 3, bytes: 2 ** 20 });
  expect(bandwidth.work).toBe(2 * 2 ** 20);
  for (const { rate, work, ms, low, high, variant, rounds } of [bandwidth, peak]) {
    expect(rate).toBeCloseTo(work / ms / 1e6, 9);
    expect(low).toBeLessThanOrEqual(ms);
    expect(high).toBeGreaterThanOrEqual(ms);
    expect(rounds).toBe(3);
    expect(variant).not.toBe('');
  }
  expect(peak.ms).toBeGreaterThan(0.5); // long runs, however fast the adapter is
});
