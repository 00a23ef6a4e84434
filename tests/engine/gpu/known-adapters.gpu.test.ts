// The kernels that known GPUs take before tuning, against the float64 references.

import { expect, it } from 'vitest';
import { type OpCase, randomTensor } from '../../../src/engine/check-op.ts';
import { wrapDevice } from '../../../src/engine/gpu/device.ts';
import { knownAdapterNames, traitsAs } from '../../../src/engine/gpu/known-adapters.ts';
import { kernelKey } from '../../../src/engine/gpu/pipelines.ts';
import { Graph } from '../../../src/engine/graph/graph.ts';
import { selfAttentionOp } from '../../../src/engine/ops/attention/attention.ts';
import {
  cachedCrossAttentionOp,
  cachedSelfAttentionOp,
} from '../../../src/engine/ops/decoding/cached-attention.ts';
import { linearOp } from '../../../src/engine/ops/matmul/linear.ts';
import { matmulOp } from '../../../src/engine/ops/matmul/matmul.ts';
import type { Attrs, Op } from '../../../src/engine/ops/op.ts';
import { defaultVariant } from '../../../src/engine/plan/kernel-choices.ts';
import { makePlan } from '../../../src/engine/plan/planner.ts';
import { cacheSlots } from '../../support/cache-slots.ts';
import { everyCase, gpuDevice, gpuHost } from '../../support/gpu.ts';
import { applyToInputs, checkOp, integers } from '../../support/op.ts';

/** SwiftShader compiles tiles for seconds. */
const few = gpuHost === 'Chrome' && !everyCase;

/** Checks an op with the kernels of each adapter, once if they are those of another one on this device. */
async function checkEach<I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
  c: OpCase<I, O, A>,
): Promise<void> {
  const own = wrapDevice(await gpuDevice()).traits;
  const checked = new Set<string>();
  for (const adapter of knownAdapterNames) {
    const traits = traitsAs(adapter, own);
    const graph = new Graph();
    const { node } = applyToInputs(graph, op, c.inputs, c.attrs);
    for (const [i, y] of node.outputs.entries()) graph.output(node.outputNames[i] as string, y);
    // The device ignores a request for a subgroup that it does not have.
    const kernels = makePlan(graph, { traits }).passes.map((pass) =>
      kernelKey({ ...pass, subgroupSize: pass.subgroupSize === own.minRequestedSubgroup ? 1 : undefined }),
    );
    if (checked.has(kernels.join())) continue;
    checked.add(kernels.join());
    await checkOp(op, { ...c, traits, variant: defaultVariant(node, traits).name }, { everyKernel: true });
  }
  expect(checked.size).toBeGreaterThan(0);
}

it('a product that fills a GPU', () =>
  checkEach(matmulOp, {
    inputs: { a: randomTensor([1024, 20], 1), b: randomTensor([20, 1032], 2) },
    attrs: { transA: false, transB: false, batched: false },
  }));

it.each(few ? [5] : [1, 5, 16])('a layer of %i rows', (rows) =>
  checkEach(linearOp, {
    inputs: { x: randomTensor([rows, 68], 1), w: randomTensor([36, 68], 2), b: randomTensor([36], 3) },
    attrs: { activation: 'none' },
  }),
);

it.skipIf(few)('a layer and its gradients', () =>
  checkEach(linearOp, {
    inputs: { x: randomTensor([70, 36], 1), w: randomTensor([66, 36], 2), b: randomTensor([66], 3) },
    attrs: { activation: 'none' },
    wrt: ['x', 'w', 'b'],
  }),
);

it.each(few ? [] : everyCase ? [16, 32, 64, 80, 128] : [64])(
  'attention with heads of width %i',
  (headWidth) =>
    checkEach(selfAttentionOp, {
      inputs: {
        qkv: randomTensor([2, 37, 6 * headWidth], 1),
        lens: integers('u32', [2], [37, 20]),
        step: 'step',
      },
      attrs: { heads: 2, headWidth, causal: true },
      wrt: ['qkv'],
      gradTolerance: 3e-5,
    }),
);

it.each(few ? [] : everyCase ? [8, 100] : [8])(
  'attention of beams to cached keys with heads of width %i',
  async (headWidth) => {
    const [heads, beams, keys] = [2, 3, 9];
    const [rows, inner] = [2 * beams, heads * headWidth];
    await checkEach(cachedSelfAttentionOp, {
      inputs: {
        qkv: randomTensor([rows, 1, 3 * inner], 1),
        cache: randomTensor([rows, keys, 2 * inner], 2),
        slots: cacheSlots({ R: rows, beams, T: keys, position: 6 }, headWidth),
        step: 'step',
      },
      attrs: { heads, headWidth, beams },
      step: { position: 6 },
    });
    await checkEach(cachedCrossAttentionOp, {
      inputs: {
        q: randomTensor([rows, 1, inner], 1),
        kv: randomTensor([2, keys, 2 * inner], 2),
        lens: integers('u32', [2], [keys, 5]),
      },
      attrs: { heads, headWidth, beams },
    });
  },
);
