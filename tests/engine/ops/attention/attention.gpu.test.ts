// Fused attention on the GPU: each kernel, forward and backward, compared with the float64 reference.

import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { wrapDevice } from '../../../../src/engine/gpu/device.ts';
import { GpuEngine } from '../../../../src/engine/gpu/gpu-engine.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { crossAttentionOp, selfAttentionOp } from '../../../../src/engine/ops/attention/attention.ts';
import { selfAttentionBackwardOp } from '../../../../src/engine/ops/attention/attention-backward.ts';
import { attentionVariants, usesTiles } from '../../../../src/engine/ops/attention/attention-launch.ts';
import { stepWords } from '../../../../src/engine/ops/step-scalars.ts';
import { variantKey } from '../../../../src/engine/plan/kernel-choices.ts';
import { makePlan } from '../../../../src/engine/plan/planner.ts';
import { everyCase, gpuDevice, gpuHost, itOnDawn } from '../../../support/gpu.ts';
import { checkOp, integers, randomTensor } from '../../../support/op.ts';

const lengths = (n: readonly number[]) => integers('u32', [n.length], n);

// exp keeps 3 + 2|x| ULP and scores are up to about 10 (a row of 4 columns, normal numbers): 1e-6; sums over
// keys round below that.
const tolerance = 3e-6;
// The backward takes the difference of dP and its mean, each rounded at its own size.
const gradTolerance = 1e-5;

/** `x` [B,T,columns] with NaN in the columns from `first` on of the rows past each length. */
function poisoned(x: Tensor, lens: readonly number[], first: number): Tensor {
  const [, rows = 0, columns = 0] = x.shape;
  x.data.forEach((_, i) => {
    const row = Math.floor(i / columns);
    if (i % columns >= first && row % rows >= lens[Math.floor(row / rows)]!) x.data[i] = Number.NaN;
  });
  return x;
}

/**
 * CPU adapters have no tiles among their kernels. Chrome compiles those for seconds each, so it leaves them
 * to Dawn and test:full.
 */
const everyKernel = gpuHost !== 'Chrome' || everyCase ? { software: false } : {};

interface Sizes {
  readonly heads: number;
  readonly headWidth: number;
  readonly queries: number;
  readonly keys: number;
  readonly dropout?: number;
  readonly scale?: number;
  readonly variant?: string;
}

/**
 * Two rows a thread: in test:full, and in npm test as the untuned kernels of known adapters. The gradients in one
 * dispatch: a few cases in npm test.
 */
const without = (checked: boolean) => ({
  without: everyCase ? [] : ['tiles-shuffle-together', 'tiles-pairs', ...(checked ? [] : ['tiles-together'])],
});

async function checkSelf(
  { heads, headWidth, keys, dropout = 0 }: Sizes,
  causal: boolean,
  lens: number[],
  scale = 1,
) {
  const inner = heads * headWidth;
  const qkv = poisoned(randomTensor([lens.length, keys, 3 * inner], 1, scale), lens, inner);
  await checkOp(selfAttentionOp, {
    inputs: { qkv, lens: lengths(lens), step: 'step' },
    attrs: { heads, headWidth, causal, dropout, site: 3 },
    wrt: ['qkv'],
    traits: everyKernel,
    ...without(keys === 33),
    tolerance,
    gradTolerance,
  });
}

async function checkCross(
  { heads, headWidth, queries, keys, dropout = 0, scale, variant }: Sizes,
  lens: number[],
) {
  const inner = heads * headWidth;
  const kv = poisoned(randomTensor([lens.length, keys, 2 * inner], 2), lens, 0);
  await checkOp(crossAttentionOp, {
    inputs: { q: randomTensor([lens.length, queries, inner], 1), kv, lens: lengths(lens), step: 'step' },
    attrs: { heads, headWidth, causal: false, dropout, site: 3, scale },
    wrt: ['q', 'kv'],
    variant,
    traits: everyKernel,
    ...without(false),
    tolerance,
    gradTolerance,
  });
}

// Around blocks of 4 keys, the 8 or 64 rows of a workgroup and tiles of 32; primes; over 128.
describe('self-attention with rows that see all, some, one and no keys', () => {
  for (const keys of [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 64, 67, 131])
    it(`over ${keys}, causal or not`, async () => {
      const sizes = { heads: 2, headWidth: 4, queries: keys, keys };
      for (const causal of [false, true]) await checkSelf(sizes, causal, [keys, Math.ceil(keys / 2), 1, 0]);
    });
});

describe('cross-attention', () => {
  for (const [queries, keys] of [
    [1, 1],
    [1, 37],
    [37, 1],
    [9, 32],
    [32, 9],
    [33, 129],
    [130, 31],
  ] as const)
    it(`of ${queries} queries to ${keys} keys`, async () => {
      await checkCross({ heads: 3, headWidth: 4, queries, keys }, [keys, Math.ceil(keys / 3), 0]);
    });

  it('takes another scale', async () => {
    await checkCross({ heads: 1, headWidth: 4, queries: 5, keys: 6, scale: 0.1 }, [6, 4]);
  });
});

// Tiles of 8, 16 and 32 threads across, whole slices of 16 columns or not: others differ only in numbers, and
// take drivers long to compile.
const widths = [
  [1, 8, 'subgroups'],
  [3, 5, 'subgroups'],
  [7, 2, 'subgroups'],
  [8, 7, 'subgroups'],
  [16, 4, 'subgroups'],
  [19, 2, 'both'],
  [32, 3, 'both'],
  [40, 1, 'tiles'],
  [64, 2, 'both'],
  [65, 1, 'subgroups'],
  [128, 1, 'both'],
  [132, 2, 'both'],
  [256, 1, 'both'],
  [300, 1, 'tiles'],
  [896, 1, 'tiles'],
] as const;

/**
 * A sample: tiles and subgroups, widths of several slices, and that are not multiples of 4. Dawn takes heads of 64 in
 * tests/engine/gpu/known-adapters.gpu.test.ts.
 */
const sampled = widths.filter(
  ([headWidth]) => everyCase || (gpuHost === 'Chrome' ? [3, 8, 65] : [3]).includes(headWidth),
);

for (const [headWidth, heads, all] of sampled) {
  const family = everyCase || all !== 'both' ? all : 'subgroups';
  it(`takes ${heads} heads of width ${headWidth}, with dropout`, async () => {
    const traits = { ...wrapDevice(await gpuDevice()).traits, ...everyKernel };
    const variants = attentionVariants(traits, headWidth);
    const chosen = variants.filter((v) => family === 'both' || usesTiles(v) === (family === 'tiles'));
    for (const variant of chosen.length > 0 ? chosen : variants)
      await checkCross(
        { heads, headWidth, queries: 11, keys: 13, dropout: 0.1, variant: variant.name },
        [13, 6],
      );
  });
}

if (everyCase)
  it('drops probabilities as the reference does, forward and backward', async () => {
    const sizes = { heads: 2, headWidth: 4, queries: 70, keys: 70, dropout: 0.1 };
    for (const causal of [false, true]) await checkSelf(sizes, causal, [70, 41, 0]);
  });

it('shares reads among four threads if subgroups are larger', async () => {
  const own = wrapDevice(await gpuDevice()).traits.minSubgroup;
  for (const headWidth of everyCase ? [4, 33] : [4])
    await checkOp(crossAttentionOp, {
      inputs: {
        q: randomTensor([2, 9, headWidth], 1),
        kv: randomTensor([2, 11, 2 * headWidth], 2),
        lens: lengths([11, 5]),
        step: 'step',
      },
      attrs: { heads: 1, headWidth, causal: false },
      wrt: ['q', 'kv'],
      traits: { minSubgroup: Math.min(own, 4) },
      variant: own >= 4 ? 'subgroups-4' : undefined,
      tolerance,
      gradTolerance,
    });
});

it('works on small and large numbers', async () => {
  const sizes = { heads: 2, headWidth: 4, queries: 19, keys: 19 };
  await checkSelf(sizes, true, [19, 10], 1e-3);
  // Scores have a deviation of 5² · 2 / 2 = 25, the largest about 100, of which float32 keeps 4e-6; exp makes
  // that relative.
  const qkv = randomTensor([2, 19, 24], 1, 5);
  await checkOp(selfAttentionOp, {
    inputs: { qkv, lens: lengths([19, 10]), step: 'step' },
    attrs: { heads: 2, headWidth: 4, causal: true },
    wrt: ['qkv'],
    tolerance: 2e-5,
    gradTolerance: 5e-5,
  });
});

/**
 * Forward and backward pass of `heads` heads over T tokens by one variant, run `times` times: out and dqkv of
 * each.
 */
async function bothWays(T: number, heads: number, times: number, variant: string, allValues?: number) {
  const device = wrapDevice(await gpuDevice());
  const attrs = { heads, headWidth: 4, causal: false };
  const columns = 3 * heads * 4;
  const g = new Graph();
  const [qkv, lens] = [g.state('qkv', 'f32', [1, T, columns]), g.state('lens', 'u32', [1])];
  const step = g.input('step', 'u32', [stepWords]);
  const dout = g.state('dout', 'f32', [1, T, heads * 4]);
  const { out, lse } = g.apply(selfAttentionOp, { qkv, lens, step }, attrs);
  g.output('out', out);
  g.output('dqkv', g.apply(selfAttentionBackwardOp, { qkv, out, lse, dout, lens, step }, attrs).dqkv);
  const kernelChoices = Object.fromEntries(g.nodes.map((n) => [variantKey(n), variant]));
  const plan = makePlan(g, { traits: device.traits, kernelChoices });
  const engine = new GpuEngine(device);
  const [runner] = await engine.preparePlans([plan]);
  const x = randomTensor([1, T, columns], 1);
  if (allValues !== undefined)
    x.data.forEach((_, i) => {
      if (i % columns >= (columns / 3) * 2) x.data[i] = allValues;
    });
  const dy = randomTensor([1, T, heads * 4], 2);
  engine.write('qkv', x.data);
  engine.write('dout', dy.data);
  engine.write('lens', Uint32Array.of(T));
  const runs = [];
  for (let i = 0; i < times; i++)
    runs.push((await runner!.run()) as { out: Float32Array; dqkv: Float32Array });
  engine.destroy();
  return { runs, plan, dout: dy.data };
}

it('gives the same bits again', async () => {
  for (const variant of attentionVariants({ ...wrapDevice(await gpuDevice()).traits, ...everyKernel }, 4)) {
    const { runs } = await bothWays(67, 2, 2, variant.name);
    expect(runs[1]).toEqual(runs[0]);
  }
});

itOnDawn('runs 8 heads over thousands of tokens both ways in memory linear in them', async () => {
  const length = everyCase ? 4096 : 2048;
  const [variant] = attentionVariants(wrapDevice(await gpuDevice()).traits, 4).map(({ name }) => name);
  const heads = 8;
  const { runs, plan, dout } = await bothWays(length, heads, 1, variant as string, 1);
  const half = await bothWays(length / 2, heads, 1, variant as string, 1);
  expect(plan.bytes.slots).toBeLessThan(2.01 * half.plan.bytes.slots);
  expect(Math.max(...plan.buffers.map((b) => b.bytes))).toBeLessThan(2 ** 27);
  // All values are 1: so are the outputs, and dv sums to dout.
  const { out, dqkv } = runs[0]!;
  for (const y of out) expect(Math.abs(y - 1)).toBeLessThan(1e-5); // thousands of weights, each rounded at its size
  const sums = (x: ArrayLike<number>, columns: number, from: number) => {
    const sum = new Float64Array(heads * 4);
    for (let i = 0; i < x.length; i++) if (i % columns >= from) sum[(i % columns) - from]! += x[i]!;
    return sum;
  };
  const want = sums(dout, heads * 4, 0);
  sums(dqkv, 3 * heads * 4, 2 * heads * 4).forEach((s, c) => {
    expect(Math.abs(s - want[c]!)).toBeLessThan(1e-2); // about 64, of up to 4096 · 4096 terms
  });
});

// The weights of all other keys are about 1e-5 together, and so are the gradients of scores next to dP.
it('has exact gradients of queries if one key has nearly all weight', async () => {
  const [keys, width] = [40, 4];
  const q = randomTensor([1, 5, width], 1);
  const kv = randomTensor([1, keys, 2 * width], 2);
  for (let i = 0; i < q.data.length; i += width) q.data[i] = 8;
  for (let i = 0; i < kv.data.length; i += 2 * width) kv.data[i] = i === 16 * width ? 4 : 0;
  for (const traits of [everyKernel, {}])
    await checkOp(crossAttentionOp, {
      inputs: { q, kv, lens: lengths([keys]), step: 'step' },
      attrs: { heads: 1, headWidth: width, causal: false },
      wrt: ['q'],
      traits,
      ...without(true),
      tolerance,
      gradTolerance,
    });
});
