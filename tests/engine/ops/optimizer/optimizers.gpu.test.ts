// Clipping, the optimizers and sums of parameter buffers on the GPU.

import { describe, expect, it } from 'vitest';
import { f32, type Tensor } from '../../../../src/core/tensor.ts';
import { accumulateOp, differenceOp, emaOp } from '../../../../src/engine/ops/optimizer/buffer-sums.ts';
import { clipAt, clipScaleOp, counterAt, gradientNormOp } from '../../../../src/engine/ops/optimizer/clip.ts';
import {
  type AdamAttrs,
  adamOp,
  adamwOp,
  rmspropOp,
  sgdOp,
} from '../../../../src/engine/ops/optimizer/optimizers.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { checkOp, type OpCheckInputs, randomTensor } from '../../../support/op.ts';
import { runOp } from '../../../support/run-op.ts';

// One to 1025 elements around workgroups of 64 and 256; 5,000 in three blocks of 2,048.
const sizes = [1, 63, 64, 65, 255, 257, 1024, 5000];
const zeros = (n: number): Tensor => f32([n], new Float32Array(n));
const positive = (t: Tensor): Tensor =>
  f32(
    t.shape,
    Float32Array.from(t.data, (x) => x * x),
  );
const bits = (word: number): number => new Float32Array(Uint32Array.of(word).buffer)[0] as number;

describe('gradient_norm', () => {
  for (const n of sizes)
    it(`sums the squares of ${n} gradients`, async () => {
      // 64 threads sum up to 32 squares each, then 64 shares: some 1e2 roundings of a sum of one sign, which
      // partly cancel.
      for (const scale of [1e-3, 1, 30])
        await checkOp(gradientNormOp, {
          inputs: { gradients: randomTensor([n], 1, scale) },
          attrs: {},
          tolerance: 1e-6,
        });
    });

  it('reads gradients larger than a binding range by range, in one dispatch', async () => {
    const g = randomTensor([7001], 2);
    const whole = await runOp(gradientNormOp, { gradients: g }, {});
    const parts = await runOp(
      gradientNormOp,
      { gradients: g },
      {},
      { traits: { maxBindingBytes: 2048 * 4 + 100 } },
    );
    expect(parts.dispatches).toBe(1);
    expect(parts.outputs).toEqual(whole.outputs);
    const tooSmall = runOp(
      gradientNormOp,
      { gradients: randomTensor([8193], 2) },
      {},
      { traits: { maxBindingBytes: 2048 * 4 } },
    );
    await expect(tooSmall).rejects.toThrow(errorAbout({ area: 'gradient_norm', values: [8193, 8192] }));
  });

  for (const [name, word] of Object.entries({
    infinity: 0x7f800000,
    'minus infinity': 0xff800000,
    NaN: 0x7fc00001,
  }))
    it(`detects ${name} at any position`, async () => {
      for (const at of [0, 2047, 2048, 4999]) {
        const g = randomTensor([5000], 1);
        new Uint32Array(g.data.buffer)[at] = word;
        const { outputs } = await runOp(gradientNormOp, { gradients: g }, {});
        const flags = [0, 1, 2].map((b) => outputs.partials[2 * b + 1]);
        expect(flags).toEqual([0, 1, 2].map((b) => (b === Math.floor(at / 2048) ? 1 : 0)));
      }
    });
});

describe('clip_scale', () => {
  const attrs = { maxNorm: 1, beta1: 0.9, beta2: 0.98 };
  const partials = f32([3, 2], [4, 0, 5, 0, 7, 0]);

  it('scales down to the largest norm, and not up', async () => {
    for (const maxNorm of [0, 1, 3.9, 4.1])
      await checkOp(clipScaleOp, {
        inputs: { partials, counters: zeros(8) },
        attrs: { ...attrs, maxNorm },
        tolerance: 3e-7,
      });
  });

  it('sums more blocks than it has threads', async () => {
    const many = positive(randomTensor([1000, 2], 1));
    for (let i = 1; i < 2000; i += 2) many.data[i] = 0;
    await checkOp(clipScaleOp, { inputs: { partials: many, counters: zeros(8) }, attrs, tolerance: 1e-6 });
  });

  it('corrects the bias to 3e-7, at the first step and after a million', async () => {
    for (const [beta1, beta2] of [
      [0.9, 0.999],
      [0.98, 0.9999],
      [0, 0.5],
    ] as const)
      for (const applied of [0, 1, 2, 3, 9, 99, 999, 9999, 999_999]) {
        const counters = zeros(8);
        counters.data[counterAt.applied] = applied;
        const { states } = await runOp(clipScaleOp, { partials, counters }, { maxNorm: 1, beta1, beta2 });
        expect(states.counters[counterAt.applied]).toBe(applied + 1);
        for (const [at, beta] of [
          [counterAt.correction1, beta1],
          [counterAt.correction2, beta2],
        ] as const) {
          const want = beta === 0 ? 1 : -Math.expm1((applied + 1) * Math.log(beta));
          expect(Math.abs((states.counters[at] ?? 0) / want - 1)).toBeLessThan(3e-7);
        }
      }
  });

  it('unscales norm and scale, doubles the loss scale after finite steps and halves it on overflow, within limits', async () => {
    const bad = f32([2, 2], [1, 0, 1, 1]);
    const run = async (from: Tensor, lossScale: number, good: number, growth = 3) => {
      const before = f32([8], [5, 2, 0.3, 0.4, lossScale, good, 0, 0]);
      const { outputs, states } = await runOp(
        clipScaleOp,
        { partials: from, counters: before },
        { ...attrs, growth },
      );
      return [...outputs.clip, ...states.counters.slice(4, 6)];
    };
    for (const [from, lossScale, good, growth] of [
      [partials, 1024, 0, 3],
      [partials, 1024, 2, 3],
      [partials, 2 ** 24, 2, 3],
      [partials, 8, 2, 0],
      [bad, 1024, 2, 3],
    ] as const) {
      const before = f32([8], [5, 2, 0.3, 0.4, lossScale, good, 0, 0]);
      await checkOp(clipScaleOp, {
        inputs: { partials: from, counters: before },
        attrs: { ...attrs, growth },
        tolerance: 3e-7,
      });
    }
    // Norm 4 of the gradients times 2: unscaled it is 2.
    expect(await run(partials, 2, 2)).toEqual([0.25, 2, 1, 2, 4, 0].map((x) => expect.closeTo(x, 5)));
    expect((await run(partials, 2 ** 24, 2)).slice(3)).toEqual([2 ** 24, 2 ** 24, 0]);
    expect(await run(bad, 1024, 2)).toEqual([0, 0, 0, 1024, 512, 0]);
    expect(await run(bad, 1, 2)).toEqual([0, 0, 0, 1, 1, 0]);
  });

  it('skips and counts a step that is not finite, even if only the sum overflows', async () => {
    const before = f32([8], [5, 2, 0.3, 0.4, 0, 0, 0, 0]);
    for (const bad of [
      f32([2, 2], [1, 0, 1, 1]),
      f32([2, 2], [3e38, 0, 3e38, 0]),
      f32([2, 2], [bits(0x7f800000), 0, 1, 0]),
    ]) {
      const { outputs, states } = await runOp(clipScaleOp, { partials: bad, counters: before }, attrs);
      expect(Array.from(outputs.clip)).toEqual([0, 0, 0, 0]);
      expect(Array.from(states.counters)).toEqual(Array.from(f32([8], [5, 3, 0.3, 0.4, 0, 0, 0, 0]).data));
    }
    const { outputs } = await runOp(clipScaleOp, { partials, counters: before }, attrs);
    expect(outputs.clip[clipAt.finite]).toBe(1);
  });
});

const clip = f32([4], [0.25, 4, 1, 0]);
const counters = f32([8], [3, 0, 1 - 0.9 ** 3, 1 - 0.98 ** 3, 0, 0, 0, 0]);
const adamAttrs = { beta1: 0.9, beta2: 0.98, eps: 1e-9, weightDecay: 0.1 };
// A handful of float32 operations on each weight and moment.
const tolerance = 5e-7;

/** A tensor of any sign. */
const any = (n: number, seed: number): Tensor => randomTensor([n], seed);
const common = (n: number, clip: Tensor) => ({
  weights: any(n, 1),
  gradients: any(n, 2),
  clip,
  step: 'step' as const,
});
const adamInputs = (n: number, clip: Tensor) => ({
  ...common(n, clip),
  m: any(n, 3),
  v: positive(any(n, 4)),
  counters,
});

/** An op with its inputs and attributes; the four optimizers differ in both. */
type Update = {
  op: typeof adamwOp;
  inputs: OpCheckInputs<(typeof adamwOp)['inputs'][number]>;
  attrs: AdamAttrs;
};

const optimizers: Record<string, (n: number, c?: Tensor) => Update> = {
  adamw: (n, c = clip) => ({
    op: adamwOp,
    inputs: adamInputs(n, c),
    attrs: { ...adamAttrs, decayEnd: Math.floor(n / 2) },
  }),
  adam: (n, c = clip) => ({
    op: adamOp,
    inputs: adamInputs(n, c),
    attrs: { ...adamAttrs, decayEnd: Math.floor(n / 2) },
  }),
  rmsprop: (n, c = clip) => ({
    op: rmspropOp as unknown as typeof adamwOp,
    inputs: { ...common(n, c), v: positive(any(n, 4)) },
    attrs: { rho: 0.9, eps: 1e-7 } as unknown as AdamAttrs,
  }),
  sgd: (n, c = clip) => ({
    op: sgdOp as unknown as typeof adamwOp,
    inputs: { ...common(n, c), m: any(n, 4) },
    attrs: { momentum: 0.9, weightDecay: 0.1, decayEnd: Math.floor(n / 2) } as unknown as AdamAttrs,
  }),
};

describe('optimizers', () => {
  const step = { learningRate: 0.01 };
  for (const [name, make] of Object.entries(optimizers)) {
    it(`${name} updates weights and moments as the reference`, async () => {
      for (const n of sizes) {
        const { op, inputs, attrs } = make(n);
        await checkOp(op, { inputs, attrs, step, tolerance });
      }
    });

    it(`${name} changes nothing if the step is not finite, for any gradients`, async () => {
      const { op, inputs, attrs } = make(300, f32([4], [0, 0, 0, 0]));
      const { gradients, ...before } = inputs;
      new Uint32Array((gradients as Tensor).data.buffer).fill(0x7fc00000);
      const { states } = await runOp(op, inputs, attrs, { step });
      for (const [name, data] of Object.entries(states))
        expect(data).toEqual((before as Record<string, Tensor>)[name]?.data);
    });

    it(`${name} updates buffers larger than a binding in ranges, with the same bits`, async () => {
      const { op, inputs, attrs } = make(1000);
      const whole = await runOp(op, inputs, attrs, { step });
      const parts = await runOp(op, inputs, attrs, {
        step,
        traits: { maxBindingBytes: 384 * 4 },
      });
      expect(parts.dispatches).toBe(3);
      expect(parts.states).toEqual(whole.states);
    });
  }

  it('starts from zero moments at the first step without dividing by zero', async () => {
    const inputs = {
      weights: randomTensor([70], 1),
      gradients: zeros(70),
      m: zeros(70),
      v: zeros(70),
      clip,
      counters,
      step: 'step' as const,
    };
    await checkOp(adamwOp, { inputs, attrs: { ...adamAttrs, decayEnd: 0 }, step, tolerance });
  });

  it('rejects buffers of different lengths', async () => {
    const inputs = {
      weights: randomTensor([70], 1),
      gradients: zeros(71),
      m: zeros(70),
      v: zeros(70),
      clip,
      counters,
      step: 'step' as const,
    };
    await expect(runOp(adamwOp, inputs, { ...adamAttrs, decayEnd: 0 })).rejects.toThrow(
      errorAbout({ area: 'adamw', values: ['gradients', 'f32', '[71]'] }),
    );
  });
});

describe('sums of parameter buffers', () => {
  it('accumulates gradients, and overwrites the sum at the first micro-batch', async () => {
    for (const n of sizes) {
      const inputs = { acc: randomTensor([n], 1), x: randomTensor([n], 2), step: 'step' as const };
      for (const keep of [0, 1])
        await checkOp(accumulateOp, { inputs, attrs: {}, step: { keep }, tolerance: 1.2e-7 });
    }
    const garbage = f32([3], [bits(0x7fc00000), bits(0x7f800000), 1]);
    const { states } = await runOp(
      accumulateOp,
      { acc: garbage, x: f32([3], [1, 2, 3]), step: 'step' },
      {},
      { step: { keep: 0 } },
    );
    expect(Array.from(states.acc)).toEqual([1, 2, 3]);
  });

  it('subtracts the weights before an update from those after it', async () => {
    for (const n of sizes)
      await checkOp(differenceOp, {
        inputs: { before: randomTensor([n], 1), after: randomTensor([n], 2) },
        attrs: {},
        tolerance: 1.2e-7,
      });
  });

  it('averages weights', async () => {
    for (const n of sizes)
      await checkOp(emaOp, {
        inputs: { average: randomTensor([n], 1), weights: randomTensor([n], 2) },
        attrs: { decay: 0.999 },
        tolerance: 2.4e-7,
      });
  });
});
