// The kernels that known GPUs take before tuning, against the float64 references.

import { expect, it } from 'vitest';
import { f32 } from '../../../src/core/tensor.ts';
import { type OpCase, randomTensor } from '../../../src/engine/check-op.ts';
import { wrapDevice } from '../../../src/engine/gpu/device.ts';
import { knownAdapterNames, traitsAs } from '../../../src/engine/gpu/known-adapters.ts';
import { kernelKey } from '../../../src/engine/gpu/pipelines.ts';
import { Graph } from '../../../src/engine/graph/graph.ts';
import { selfAttentionOp } from '../../../src/engine/ops/attention/attention.ts';
import { bestTokensOp } from '../../../src/engine/ops/decoding/best-tokens.ts';
import {
  cachedCrossAttentionOp,
  cachedSelfAttentionOp,
} from '../../../src/engine/ops/decoding/cached-attention.ts';
import { greedyTokenOp, rulesSize } from '../../../src/engine/ops/decoding/next-token.ts';
import { crossEntropyOp } from '../../../src/engine/ops/loss/cross-entropy.ts';
import { linearOp } from '../../../src/engine/ops/matmul/linear.ts';
import { matmulOp } from '../../../src/engine/ops/matmul/matmul.ts';
import { packedLinearOp } from '../../../src/engine/ops/matmul/packed-linear.ts';
import { pack, wordsOf } from '../../../src/engine/ops/matmul/packed-weights.ts';
import { layerNormOp, rmsNormOp } from '../../../src/engine/ops/norm/layer-norm.ts';
import { softmaxOp } from '../../../src/engine/ops/norm/softmax.ts';
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

/** Widths of rows that a subgroup adds up, that several do, and that are not whole vectors. */
const rowWidths = (inTest: number) => (few ? [36] : everyCase ? [36, 37, 516] : [inTest]);

it.each(rowWidths(516))('norms and softmax of rows of %i numbers, and their gradients', async (cols) => {
  const [x, rows] = [randomTensor([19, cols], 1), randomTensor([19, cols], 2)];
  const [gamma, beta] = [randomTensor([cols], 3), randomTensor([cols], 4)];
  const options = { wrt: ['x', 'gamma'] as const, gradTolerance: 2e-5 };
  await checkEach(layerNormOp, { inputs: { x, gamma, beta }, attrs: { eps: 1e-5 }, ...options });
  await checkEach(rmsNormOp, { inputs: { x, gamma }, attrs: { eps: 1e-5 }, ...options });
  await checkEach(softmaxOp, { inputs: { x: rows }, attrs: {}, wrt: ['x'], gradTolerance: 2e-5 });
});

it.each(rowWidths(37))('the loss and the next token of rows of %i numbers', async (cols) => {
  const targets = integers('i32', [9], [0, 1, 2, 3, 35, 5, 30, 7, 8]);
  const loss = { logits: randomTensor([9, cols], 1), targets, step: 'step' } as const;
  const attrs = { smoothing: 0.1, ignore: 0, fused: true };
  await checkEach(crossEntropyOp, { inputs: loss, attrs, step: { tokenWeight: 0.4 }, tolerance: 2e-6 });
  const choice = {
    logits: randomTensor([9, 1, cols], 2),
    history: integers(
      'i32',
      [9, 4],
      Array.from({ length: 36 }, (_, i) => i % 30),
    ),
    rules: integers('i32', [rulesSize(0)], new Int32Array(rulesSize(0))),
    step: 'step',
  } as const;
  await checkEach(greedyTokenOp, { inputs: choice, attrs: { endId: 2, rules: false }, tolerance: 2e-6 });
  const best = { endId: 2, rules: false, wanted: 3 };
  await checkEach(bestTokensOp, { inputs: choice, attrs: best, tolerance: 2e-6 });
});

it.skipIf(few)('one row of packed weights', async () => {
  const [ins, outs, format] = [80, 37, 'int8'] as const;
  const words = new Uint32Array(outs * wordsOf(format, ins));
  const scales = new Float32Array(outs);
  pack(format, randomTensor([outs, ins], 2).data as Float32Array, ins, words, scales);
  const packed = { words: integers('u32', [outs, wordsOf(format, ins)], words), scales: f32([outs], scales) };
  await checkEach(packedLinearOp, {
    inputs: { x: randomTensor([1, ins], 1), ...packed, b: randomTensor([outs], 3) },
    attrs: { format },
  });
});

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
      attrs: { heads: 2, headWidth, causal: true, dropout: 0.1, site: 3 },
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
