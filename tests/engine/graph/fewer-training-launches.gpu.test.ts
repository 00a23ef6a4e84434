// Training steps with fused norms, compared with steps as usual.

import { expect } from 'vitest';
import { benchStep } from '../../../src/bench/step-bench.ts';
import { gpuEngine } from '../../../src/engine/engine.ts';
import { wrapDevice } from '../../../src/engine/gpu/device.ts';
import type { KernelChooser } from '../../../src/engine/gpu/gpu-engine.ts';
import { fewestLaunches } from '../../../src/engine/gpu/launch-tuning.ts';
import { gpuDevice } from '../../support/gpu.ts';
import { itInFull } from '../../support/in-full.ts';

const fewest: KernelChooser = {
  choose: async (graphs, device, known) =>
    Object.assign({}, known, ...graphs.map((graph) => fewestLaunches(graph, device.traits))),
};

/** Losses and dispatches of three updates of a small model. */
async function train(kernels?: KernelChooser) {
  const device = wrapDevice(await gpuDevice());
  const engine = gpuEngine(device, { kernels });
  try {
    const shape = { batch: 3, source: 7, target: 9, vocab: 50 };
    const { firstLoss, lastLoss, dispatches } = await benchStep(device, engine, 'tiny', shape, 3);
    return { firstLoss, lastLoss, dispatches };
  } finally {
    engine.destroy();
  }
}

itInFull('fused steps have the losses of steps as usual, and the same bits again', async () => {
  const usual = await train();
  const fused = await train(fewest);
  expect(fused.dispatches).toBeLessThan(usual.dispatches - 15);
  expect(fused.firstLoss).toBeCloseTo(usual.firstLoss, 5);
  expect(fused.lastLoss).toBeCloseTo(usual.lastLoss, 4);
  expect(await train(fewest)).toEqual(fused);
});
