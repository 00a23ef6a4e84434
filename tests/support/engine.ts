// The engine for tests of whole models: on Dawn with the default kernels, in Chrome with the naive matrix
// products, since its software adapter takes a second to compile a tiled one. tests/engine/ops compares every
// kernel with its reference.

import { type Engine, gpuEngine } from '../../src/engine/engine.ts';
import { tuneKernels } from '../../src/engine/gpu/auto-tuning.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { variantsOf } from '../../src/engine/ops/op-nodes.ts';
import { variantKey } from '../../src/engine/plan/kernel-choices.ts';
import { gpuDevice, gpuHost, testShape } from './gpu.ts';

/** Tuned kernels, so that all engines of a test file give the same bits. */
const tuned: Record<string, string> = {};

/** An engine on the test file's device. */
export async function testEngine(): Promise<Engine> {
  const device = wrapDevice(await gpuDevice());
  return gpuEngine(device, {
    kernels: {
      choose: async (graphs) => {
        if (testShape.tune)
          return Object.assign(
            tuned,
            await tuneKernels(device, graphs, { known: { ...tuned }, budgetMs: 300 }),
          );
        const choices: Record<string, string> = {};
        if (gpuHost === 'Chrome')
          for (const node of graphs.flatMap((graph) => graph.nodes))
            if (variantsOf(node, device.traits).some(({ name }) => name === 'naive'))
              choices[variantKey(node)] = 'naive';
        return choices;
      },
    },
  });
}
