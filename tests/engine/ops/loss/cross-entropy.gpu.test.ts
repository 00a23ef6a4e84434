// Cross-entropy, fused with its gradient or not, and token statistics on the GPU.

import { describe, expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { f32, type Tensor } from '../../../../src/core/tensor.ts';
import {
  crossEntropyBackwardOp,
  crossEntropyOp,
  tokenStatsOp,
} from '../../../../src/engine/ops/loss/cross-entropy.ts';
import { checkInPlace } from '../../../support/in-place.ts';
import { checkOp, integers, randomTensor } from '../../../support/op.ts';

// Around row groups of 32 and 256, blocks of 8 a thread, 512 columns, above which row groups are larger,
// primes, a real vocabulary. Widths read four at a time and others. A single class has a loss of exactly 0,
// so no error is relative to it.
const sizes: [number, number][] = [
  [1, 1],
  [1, 2],
  [5, 31],
  [33, 32],
  [7, 257],
  [3, 512],
  [9, 513],
  [2, 2053],
  [3, 16_001],
  [5, 4],
  [33, 36],
  [4, 516],
  [3, 2048],
  [2, 8000],
];

const ignore = 0;

function targetsFor(rows: number, V: number): Tensor {
  const r = random(4);
  return integers(
    'i32',
    [rows],
    Array.from({ length: rows }, (_, i) => (i % 3 === 1 ? ignore : r.int(V))),
  );
}

// lse rounds at its own size, up to about 100 at scale 30, when the loss is about as large; exp keeps 3 +
// 2|x| ULP.
const tolerance = 2e-6;
const gradTolerance = 1e-5;

describe('cross_entropy', () => {
  for (const [rows, V] of sizes.slice(1))
    it(`of [${rows},${V}] is the reference's, smoothed or not, and so is its gradient`, async () => {
      const step = { tokenWeight: 0.37 };
      for (const [scale, smoothing] of [
        [1e-3, 0.1],
        [1, 0],
        [30, 0.1],
      ] as const) {
        const inputs = {
          logits: randomTensor([rows, V], 1, scale),
          targets: targetsFor(rows, V),
          step: 'step' as const,
        };
        const attrs = { smoothing, ignore };
        if (scale !== 1)
          await checkOp(crossEntropyOp, { inputs, attrs: { ...attrs, fused: false }, step, tolerance });
        await checkOp(crossEntropyOp, {
          inputs,
          attrs: scale === 1 ? { smoothing, fused: true } : { ...attrs, fused: true },
          step,
          tolerance: gradTolerance,
        });
      }
    });

  for (const [rows, classes] of [
    [1, 2],
    [5, 31],
    [9, 513],
    [3, 1026],
  ] as const)
    it(`of [${rows},${classes}] padded to whole vectors is the reference's, and the gradient there is 0`, async () => {
      const logits = randomTensor([rows, 4 * Math.ceil(classes / 4)], 1, 3);
      const targets = targetsFor(rows, classes);
      targets.data[0] = classes - 1;
      const inputs = { logits, targets, step: 'step' as const };
      for (const fused of [false, true])
        await checkOp(crossEntropyOp, {
          inputs,
          attrs: { smoothing: 0.1, ignore, classes, fused },
          step: { tokenWeight: 0.37 },
          tolerance: gradTolerance,
        });
      const attrs = { smoothing: 0.1, ignore, classes, fused: true };
      await checkInPlace(crossEntropyOp, { inputs, attrs, tolerance: gradTolerance });
    });

  it('turns logits into their gradient in their own memory', async () => {
    for (const [rows, V] of [
      [33, 32],
      [9, 513],
      [3, 2048],
    ] as const) {
      const [z, t] = [randomTensor([rows, V], 1, 3), targetsFor(rows, V)];
      const attrs = { smoothing: 0.1, ignore };
      await checkInPlace(crossEntropyOp, {
        inputs: { logits: z, targets: t, step: 'step' },
        attrs: { ...attrs, fused: true },
        tolerance: gradTolerance,
      });
      const lse = f32([rows], new Float32Array(rows).fill(8));
      await checkInPlace(crossEntropyBackwardOp, {
        inputs: { logits: z, lse, targets: t, step: 'step' },
        attrs,
        tolerance: gradTolerance,
      });
    }
  });

  it('gives exact zeros if every row is ignored', async () => {
    const inputs = {
      logits: randomTensor([4, 700], 1),
      targets: integers('i32', [4], [-100, -100, -100, -100]),
      step: 'step' as const,
    };
    const errors = await checkOp(crossEntropyOp, {
      inputs,
      attrs: { smoothing: 0.1, ignore: -100, fused: true },
      tolerance: 0,
    });
    expect(Object.values(errors)).toContain(0);
  });

  it('counts no hit if an earlier logit is equally large', async () => {
    const z = f32([3, 4], [1, 5, 5, 0, 5, 5, 1, 2, 7, 7, 7, 7]);
    await checkOp(crossEntropyOp, {
      inputs: { logits: z, targets: integers('i32', [3], [2, 0, 0]), step: 'step' },
      attrs: { smoothing: 0, fused: false },
      tolerance,
    });
  });

  it('gives the gradient from a stored lse as the fused form does', async () => {
    const logits = randomTensor([6, 300], 2, 3);
    const z = Array.from(logits.data);
    const rowSum = (r: number) => z.slice(r * 300, (r + 1) * 300).reduce((a, v) => a + Math.exp(v), 0);
    const lse = f32(
      [6],
      [0, 1, 2, 3, 4, 5].map((r) => Math.log(rowSum(r))),
    );
    const inputs = { logits, lse, targets: targetsFor(6, 300), step: 'step' as const };
    await checkOp(crossEntropyBackwardOp, {
      inputs,
      attrs: { smoothing: 0.1, ignore },
      tolerance: gradTolerance,
    });
  });
});

describe('token_stats', () => {
  for (const n of [1, 63, 64, 65, 1009])
    it(`sums ${n} rows`, async () => {
      const hit = f32(
        [n],
        Array.from({ length: n }, (_, i) => i % 2),
      );
      const inputs = { nll: randomTensor([n], 5), hit, targets: targetsFor(n, 50) };
      // The sum of normal numbers may be near 0 compared with its terms, but the counts set the scale.
      await checkOp(tokenStatsOp, { inputs, attrs: { ignore }, tolerance: 1e-6 });
      await checkOp(tokenStatsOp, { inputs, attrs: {}, tolerance: 1e-6 });
    });
});
