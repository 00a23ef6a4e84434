// The relative position bias on the GPU: bias of each distance, self-attention forward and backward, table
// gradients.

import { describe, expect, it } from 'vitest';
import { tensorType } from '../../../../src/core/tensor.ts';
import { wrapDevice } from '../../../../src/engine/gpu/device.ts';
import { GpuEngine } from '../../../../src/engine/gpu/gpu-engine.ts';
import { poisonSlots } from '../../../../src/engine/gpu/isolated-node.ts';
import { gradients } from '../../../../src/engine/graph/gradient.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { selfAttention, selfAttentionOp } from '../../../../src/engine/ops/attention/attention.ts';
import {
  relativePositionBiasBackwardOp,
  selfAttentionBackwardOp,
} from '../../../../src/engine/ops/attention/attention-backward.ts';
import { attentionVariants } from '../../../../src/engine/ops/attention/attention-launch.ts';
import {
  relativePositionBias,
  relativePositionBiasOp,
} from '../../../../src/engine/ops/attention/relative-position-bias.ts';
import { add } from '../../../../src/engine/ops/elementwise/elementwise-ops.ts';
import { defineOp } from '../../../../src/engine/ops/op.ts';
import { stepWords } from '../../../../src/engine/ops/step-scalars.ts';
import { variantKey } from '../../../../src/engine/plan/kernel-choices.ts';
import { makePlan } from '../../../../src/engine/plan/planner.ts';
import { everyCase, gpuDevice, gpuHost } from '../../../support/gpu.ts';
import { checkOp, integers, randomTensor } from '../../../support/op.ts';

it('gives each distance the bias of its bucket, and sums gradients by bucket', async () => {
  for (const [buckets, maxDistance] of [
    [32, 128],
    [8, 20],
    [9, 11],
    [128, 1000],
  ] as const)
    for (const bidirectional of [true, false]) {
      const attrs = { maxDistance, bidirectional };
      const op = { inputs: { table: randomTensor([buckets, 5], 1) }, attrs, wrt: ['table'] as const };
      await checkOp(relativePositionBiasOp, { ...op, tolerance: 0, gradTolerance: 3e-6 });
    }
  await checkOp(relativePositionBiasBackwardOp, {
    inputs: { dbias: randomTensor([3, 227], 1) },
    attrs: { maxDistance: 128, bidirectional: false, buckets: 32 },
    tolerance: 3e-6,
  });
});

interface Sizes {
  readonly heads: number;
  readonly headWidth: number;
  readonly length: number;
  readonly farthest: number;
  readonly causal?: boolean;
  readonly dropout?: number;
}

async function check({ heads, headWidth, length, farthest, causal = false, dropout = 0 }: Sizes) {
  const lens = [length, Math.ceil(length / 2), 1, 0];
  const inner = heads * headWidth;
  const qkv = randomTensor([lens.length, length, 3 * inner], 1, 0.7);
  // Keys and values past the lengths may be anything.
  qkv.data.forEach((_, i) => {
    const row = Math.floor(i / (3 * inner));
    if (i % (3 * inner) >= inner && row % length >= lens[Math.floor(row / length)]!) qkv.data[i] = Number.NaN;
  });
  const bias = randomTensor([heads, 2 * farthest + 1], 2);
  await checkOp(selfAttentionOp, {
    inputs: { qkv, lens: integers('u32', [lens.length], lens), step: 'step', bias },
    attrs: { heads, headWidth, causal, dropout, site: 2, scale: 1 },
    // A bias that all keys of a query share has no gradient: only rounding errors would be compared.
    wrt: farthest > 0 && length > 1 ? ['qkv', 'bias'] : ['qkv'],
    // Every kernel: CPU adapters have no tiles. Chrome compiles those for seconds each, so it leaves them to
    // Dawn and test:full.
    traits: gpuHost !== 'Chrome' || everyCase ? { software: false } : {},
    // LLVM compiles a kernel by tiles for ten seconds, and two rows a thread for a minute: npm test has one of them, and
    // attention.gpu.test.ts others without a bias.
    without: everyCase ? [] : ['tiles-shuffle', 'tiles-together', 'tiles-shuffle-together', 'tiles-pairs'],
    tolerance: 3e-6,
    gradTolerance: 1e-5,
  });
}

describe('self-attention with a bias, forward and backward, by each kernel', () => {
  for (const length of [1, 2, 5, 33, 67])
    it(`over ${length}, beyond the farthest distance or not, causal or not`, async () => {
      for (const causal of [false, true])
        for (const farthest of [0, 3, 91]) await check({ heads: 2, headWidth: 4, length, farthest, causal });
    });

  if (everyCase)
    it('with heads of other widths, and dropout', async () => {
      for (const [headWidth, heads] of [
        [1, 3],
        [5, 3],
        [64, 2],
      ] as const)
        await check({ heads, headWidth, length: 13, farthest: 4, dropout: 0.1, causal: headWidth === 5 });
    });
});

/** A loss whose gradient with respect to y is dy. */
const root = defineOp({
  name: 'root',
  inputs: ['y', 'dy'],
  outputs: ['loss'],
  shape: () => ({ loss: tensorType('f32', [1]) }),
  launch: () => [],
  grad: (_builder, { dy }) => ({ y: dy }),
  reference() {},
});

it('sums the table gradients of all layers, deterministically, without storing the scores', async () => {
  const device = wrapDevice(await gpuDevice());
  const [B, T, heads, headWidth] = [3, 150, 2, 4];
  const attrs = { heads, headWidth, causal: false, scale: 1 };
  const g = new Graph();
  const state = (name: string, shape: number[]) => g.state(name, 'f32', shape);
  const table = state('table', [8, heads]);
  const bias = relativePositionBias(g, table, { maxDistance: 20, bidirectional: true });
  const [lens, step] = [g.state('lens', 'u32', [B]), g.input('step', 'u32', [stepWords])];
  const layers = ['one', 'two'].map((name) => state(name, [B, T, 3 * heads * headWidth]));
  const [y1, y2] = layers.map((qkv) => selfAttention(g, qkv, lens, step, attrs, bias));
  const dy = state('dy', [B, T, heads * headWidth]);
  const { loss } = g.apply(root, { y: add(g, y1!, y2!), dy });
  g.output('dtable', gradients(g, loss, [table])[0]!);
  expect(g.nodes.filter(({ op }) => op === selfAttentionBackwardOp)).toHaveLength(2);
  for (const variant of attentionVariants({ ...device.traits, software: false }, headWidth)) {
    const kernelChoices = Object.fromEntries(g.nodes.map((n) => [variantKey(n), variant.name]));
    const plan = makePlan(g, { traits: device.traits, kernelChoices });
    expect(Math.max(...plan.buffers.map(({ bytes }) => bytes))).toBeLessThan(B * heads * T * T);
    const engine = new GpuEngine(device);
    const [runner] = await engine.preparePlans([plan]);
    poisonSlots(engine);
    engine.write('lens', Uint32Array.of(T, 31, 1));
    [table, dy, ...layers].forEach((v, i) => {
      engine.write(v.name, randomTensor(v.shape, i).data);
    });
    const first = await runner!.run();
    expect(await runner!.run()).toEqual(first);
    // Bucket 4 stays unused: it would be for keys at distance 0 after the query.
    expect(Array.from(first.dtable!, (x) => Number.isFinite(x) && x !== 0)).toEqual(
      Array.from({ length: 16 }, (_, i) => Math.floor(i / heads) !== 4),
    );
    engine.destroy();
  }
});
