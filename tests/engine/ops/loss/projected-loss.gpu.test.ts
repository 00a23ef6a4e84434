// Projection and loss in chunks of rows, on the GPU: the outputs equal those of one product, one loss and
// their gradients.

import { describe, expect, it } from 'vitest';
import { f32 } from '../../../../src/core/tensor.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { projectedLossOp } from '../../../../src/engine/ops/loss/projected-loss.ts';
import {
  newScales,
  pack,
  packedFormats,
  scalesType,
  wordsOf,
} from '../../../../src/engine/ops/matmul/packed-weights.ts';
import { stepWords } from '../../../../src/engine/ops/step-scalars.ts';
import { makePlan } from '../../../../src/engine/plan/planner.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { everyCase, gpuHost } from '../../../support/gpu.ts';
import { checkOp, integers, randomTensor } from '../../../support/op.ts';

const attrs = { smoothing: 0.1, ignore: 0, gradients: true, rows: 64 };

/** Rows in one chunk, in two and in several with a rest; widths read four at a time and others. */
const sizes: [rows: number, D: number, V: number, bias: boolean][] = [
  [5, 8, 12, true],
  [65, 7, 36, true],
  [150, 20, 67, false],
];

describe('projected_loss', () => {
  for (const [rows, D, V, bias] of everyCase
    ? sizes
    : gpuHost === 'Chrome'
      ? sizes.slice(0, 1)
      : sizes.slice(1, 2))
    it(`of [${rows},${D}] to ${V} tokens ${bias ? 'with' : 'without'} bias is the reference's, with gradients and without`, async () => {
      const targets = Array.from({ length: rows }, (_, i) => (i * 7) % V);
      for (const gradients of [true, false])
        await checkOp(projectedLossOp, {
          inputs: {
            x: randomTensor([rows, D], 1),
            w: randomTensor([V, D], 2),
            targets: integers('i32', [rows], targets),
            step: 'step',
            b: bias ? randomTensor([V], 3) : undefined,
          },
          attrs: { ...attrs, gradients },
          step: { tokenWeight: 0.37 },
          // Sums over D, then over V or the rows, of numbers of both signs: float32 rounds at the size of
          // what cancels.
          tolerance: 1e-5,
        });
    });

  it.each(packedFormats)('of %s weights is the reference', async (format) => {
    const [rows, D, V] = [70, 20, 150];
    const words = new Uint32Array(V * wordsOf(format, D));
    const scales = newScales(format, V, D);
    const type = scalesType(format, V, D);
    pack(format, randomTensor([V, D], 2).data as Float32Array, D, words, scales);
    for (const gradients of [true, false])
      await checkOp(projectedLossOp, {
        inputs: {
          x: randomTensor([rows, D], 1),
          w: integers('u32', [V, wordsOf(format, D)], words),
          scales: type && { ...type, data: scales },
          targets: integers(
            'i32',
            [rows],
            Array.from({ length: rows }, (_, i) => (i * 7) % V),
          ),
          step: 'step',
          b: randomTensor([V], 3),
        },
        attrs: { ...attrs, gradients, format },
        step: { tokenWeight: 0.37 },
        tolerance: 1e-5,
      });
  });

  it('of frozen weights has the gradient of x only', async () => {
    const { dx, dw, db } = projectedLossOp.shape(
      {
        x: f32([5, 8], new Float32Array(40)),
        w: f32([12, 8], new Float32Array(96)),
        targets: integers('i32', [5], []),
        step: integers('u32', [stepWords], []),
        b: f32([12], new Float32Array(12)),
      },
      { ...attrs, frozen: true },
    );
    expect([dx?.shape, dw, db]).toEqual([[5, 8], undefined, undefined]);
  });

  it('holds the logits of one chunk', () => {
    const [rows, D, V] = [1024, 64, 1000];
    const graph = new Graph();
    const { nll } = graph.apply(
      projectedLossOp,
      {
        x: graph.input('x', 'f32', [rows, D]),
        w: graph.input('w', 'f32', [V, D]),
        targets: graph.input('targets', 'i32', [rows]),
        step: graph.input('step', 'u32', [stepWords]),
      },
      attrs,
    );
    graph.output('nll', nll);
    const { bytes, passes } = makePlan(graph);
    expect(passes).toHaveLength(3 * 16);
    // The chunk's logits, the gradients of x and w, nll and hit, and 256 bytes for each binding that a launch
    // has no use for.
    expect(bytes.slots).toBeLessThan(4 * (64 * V + rows * D + V * D + 2 * rows) + passes.length * 256 + 4096);
  });

  it('rejects mismatched shapes', () => {
    const type = (...shape: number[]) => ({ dtype: 'f32' as const, shape });
    const rest = {
      targets: { dtype: 'i32' as const, shape: [5] },
      step: { dtype: 'u32' as const, shape: [stepWords] },
    };
    expect(() => projectedLossOp.shape({ x: type(5, 8), w: type(12, 9), ...rest }, attrs)).toThrow(
      errorAbout({ area: 'linear', values: ['[5,8]', '[12,9]'] }),
    );
    expect(() =>
      projectedLossOp.shape({ x: type(5, 8), w: type(12, 8), ...rest }, { ...attrs, rows: 65 }),
    ).toThrow(errorAbout({ area: 'projected_loss', values: [65] }));
  });
});
