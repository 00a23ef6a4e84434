// The kernels that each known GPU takes before tuning, on the device of the tests, compared with the float64
// references. Kernels that GPUs share are compiled once, since all cases run on one device.

import { expect, it } from 'vitest';
import { wrapDevice } from '../../../src/engine/gpu/device.ts';
import { knownAdapterNames, traitsAs } from '../../../src/engine/gpu/known-adapters.ts';
import { selfAttentionOp } from '../../../src/engine/ops/attention/attention.ts';
import {
  cachedCrossAttentionOp,
  cachedSelfAttentionOp,
} from '../../../src/engine/ops/decoding/cached-attention.ts';
import { linearOp } from '../../../src/engine/ops/matmul/linear.ts';
import { matmulOp } from '../../../src/engine/ops/matmul/matmul.ts';
import { cacheSlots } from '../../support/cache-slots.ts';
import { everyCase, gpuDevice } from '../../support/gpu.ts';
import { checkOp, integers, randomTensor } from '../../support/op.ts';

const [heads, headWidth, beams, position] = [2, 8, 3, 4];
const inner = heads * headWidth;
const shared = { untuned: true, tolerance: 1e-5 } as const;

it.each(knownAdapterNames)(
  '%s: the kernels taken before tuning compute what the references do',
  async (name) => {
    const traits = traitsAs(name, wrapDevice(await gpuDevice()).traits);
    const results = [
      // A large product, and a layer with its gradients.
      await checkOp(matmulOp, {
        ...shared,
        traits,
        inputs: { a: randomTensor([1024, 12], 1), b: randomTensor([12, 1024], 2) },
        attrs: { transA: false, transB: false, batched: false },
      }),
      await checkOp(linearOp, {
        ...shared,
        traits,
        inputs: { x: randomTensor([40, 20], 1), w: randomTensor([36, 20], 2), b: randomTensor([36], 3) },
        attrs: { activation: 'none' },
        wrt: ['x', 'w', 'b'],
      }),
      // Decoding: products of 1 to 16 rows, and attention of beams.
      ...(await Promise.all(
        [1, 7, 16].map((rows) =>
          checkOp(linearOp, {
            ...shared,
            traits,
            inputs: {
              x: randomTensor([rows, 72], 1),
              w: randomTensor([36, 72], 2),
              b: randomTensor([36], 3),
            },
            attrs: { activation: 'none' },
          }),
        ),
      )),
      await checkOp(cachedSelfAttentionOp, {
        ...shared,
        traits,
        inputs: {
          qkv: randomTensor([2 * beams, 1, 3 * inner], 1),
          cache: randomTensor([2 * beams, 7, 2 * inner], 2),
          slots: cacheSlots({ R: 2 * beams, beams, T: 7, position }, headWidth),
          step: 'step',
        },
        attrs: { heads, headWidth, beams },
        step: { position },
      }),
      await checkOp(cachedCrossAttentionOp, {
        ...shared,
        traits,
        inputs: {
          q: randomTensor([2 * beams, 1, inner], 1),
          kv: randomTensor([2, 9, 2 * inner], 2),
          lens: integers('u32', [2], [9, 5]),
        },
        attrs: { heads, headWidth, beams },
      }),
      // Attention in training, in npm test only in attention.gpu.test.ts: tiles take seconds to compile.
      ...(everyCase
        ? [
            await checkOp(selfAttentionOp, {
              ...shared,
              traits,
              inputs: {
                qkv: randomTensor([2, 40, 3 * inner], 1),
                lens: integers('u32', [2], [40, 33]),
                step: 'step',
              },
              attrs: { heads, headWidth, causal: true },
              wrt: ['qkv'],
            }),
          ]
        : []),
    ];
    expect(results.flatMap((errors) => Object.values(errors)).length).toBeGreaterThan(9);
  },
);
