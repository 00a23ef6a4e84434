// Layers and tables stored in 16, 8 and 4 bits on the GPU, compared with float64 sums of the same packed numbers.

import { describe, expect, it } from 'vitest';
import { fromFloat16, toFloat16 } from '../../../../src/core/float16.ts';
import { f32 } from '../../../../src/core/tensor.ts';
import { wrapDevice } from '../../../../src/engine/gpu/device.ts';
import { packedEmbeddingOp } from '../../../../src/engine/ops/embedding/packed-embedding.ts';
import { packedLinearOp } from '../../../../src/engine/ops/matmul/packed-linear.ts';
import { packedLinearBackwardOp } from '../../../../src/engine/ops/matmul/packed-linear-backward.ts';
import {
  isInt4,
  newScales,
  type PackedFormat,
  pack,
  packedFormats,
  scalesPerRow,
  unpacked,
  wordsOf,
} from '../../../../src/engine/ops/matmul/packed-weights.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { everyCase, fewerInChrome, gpuDevice, sample } from '../../../support/gpu.ts';
import { checkOp, integers, randomTensor } from '../../../support/op.ts';

/**
 * Twice the largest error of number `k` of a row in a block of 32: one step of 15 between its least and largest
 * number and 0, or without a zero point of 8 below 0 and 7 above, so that a number of the other sign may be a step
 * off; with the rounding of the scale to f16 and of the zero point.
 */
function int4Step(row: Float32Array, k: number, zeros: boolean): number {
  const block = row.subarray(32 * Math.floor(k / 32), 32 * Math.floor(k / 32) + 32);
  const [low, high] = [Math.min(0, ...block), Math.max(0, ...block)];
  return 1.01 * (zeros ? (2 * (high - low)) / 15 : Math.max(-low, high) / 4);
}

/** A random matrix as packed inputs of an op: words, and scales if the format has them. */
function packedTensors(format: PackedFormat, rows: number, cols: number, scale = 1) {
  const words = new Uint32Array(rows * wordsOf(format, cols));
  const scales = newScales(format, rows, cols);
  pack(format, randomTensor([rows, cols], 11, scale).data as Float32Array, cols, words, scales);
  const packed = integers('u32', [rows, wordsOf(format, cols)], words);
  if (scales instanceof Float32Array)
    return { words: packed, scales: format === 'int8' ? f32([rows], scales) : undefined };
  return { words: packed, scales: integers('u32', [rows, scalesPerRow(format, cols)], scales) };
}

const hasF16 = wrapDevice(await gpuDevice()).traits.f16;

// Sums of up to 516 products in float32.
const tolerance = 1e-5;

// Formats that differ only in their scales share kernels, and llvmpipe compiles those of int4 slowly.
describe.each(sample(packedFormats, (format) => !/^(int4-f32|uint4)$/.test(format)))('%s', (format) => {
  const all: readonly { rows: number[]; ins: number; outs: number; scale?: number; bias?: boolean }[] = [
    { rows: [1], ins: 1, outs: 1 },
    { rows: [1], ins: 64, outs: 63, bias: true },
    { rows: [3, 1], ins: 33, outs: 130, bias: true },
    { rows: [5], ins: 516, outs: 7, scale: 30 },
    { rows: [13], ins: 130, outs: 128, bias: true },
    { rows: [2, 9], ins: 64, outs: 129, scale: 0.01, bias: true },
  ];
  const cases = fewerInChrome(all, ({ ins }) => ins === 33 || (ins === 130 && format === 'int8'));
  for (const { rows, ins, outs, scale = 1, bias = false } of cases)
    it(`multiplies [${rows},${ins}] by [${outs},${ins}]${bias ? ' with bias' : ''}`, async () => {
      const x = randomTensor([...rows, ins], 1);
      const inputs = {
        x,
        ...packedTensors(format, outs, ins, scale),
        b: bias ? randomTensor([outs], 3) : undefined,
      };
      await checkOp(packedLinearOp, {
        inputs,
        attrs: { format },
        wrt: ins < 64 ? ['x'] : undefined,
        tolerance,
        gradTolerance: 1e-4,
      });
      const halves = hasF16 && rows.length > 1 && (everyCase || ins === 33);
      if (halves) await checkOp(packedLinearOp, { inputs, attrs: { format }, f16: true, tolerance });
      const dy = randomTensor([...rows, outs], 5);
      const backward = {
        inputs: { dy, ...packedTensors(format, outs, ins, scale) },
        attrs: { format, ins },
        tolerance,
      };
      await checkOp(packedLinearBackwardOp, backward);
      if (halves) await checkOp(packedLinearBackwardOp, { ...backward, f16: true });
    });

  it('pads rows with zeros to whole vectors, in blocks too, and reads such gradients', async () => {
    const [ins, outs, width] = [33, 130, 132];
    const table = packedTensors(format, outs, ins);
    const dy = randomTensor([5, width], 5);
    for (let i = 0; i < dy.data.length; i++) if (i % width >= outs) dy.data[i] = 0;
    for (const maxBindingBytes of [2 ** 27, Math.max(5 * 4 * width, 64 * 4 * wordsOf(format, ins) + 100)]) {
      const inputs = { x: randomTensor([5, ins], 1), ...table, b: randomTensor([outs], 3) };
      const traits = { maxBindingBytes };
      await checkOp(packedLinearOp, { inputs, attrs: { format, padded: true }, tolerance, traits });
      await checkOp(packedLinearBackwardOp, {
        inputs: { dy, ...table },
        attrs: { format, ins },
        tolerance,
        traits,
      });
    }
  });

  it('multiplies and looks up in blocks of rows if a binding is smaller than the weights', async () => {
    const [rows, ins, outs] = [5, 33, 200];
    const table = packedTensors(format, outs, ins);
    // A row is at most 80 bytes: at least two blocks of 64 rows.
    const traits = { maxBindingBytes: 128 * 4 * wordsOf(format, ins) + 100 };
    const inputs = { x: randomTensor([rows, ins], 1), ...table, b: randomTensor([outs], 3) };
    await checkOp(packedLinearOp, { inputs, attrs: { format }, tolerance, traits });
    const backward = { dy: randomTensor([rows, outs], 5), ...table };
    await checkOp(packedLinearBackwardOp, { inputs: backward, attrs: { format, ins }, tolerance, traits });
    const ids = integers('i32', [2, 3], [0, 127, 128, 199, 64, 150]);
    const attrs = { format, width: ins, scale: 2, offset: 0, decode: false };
    await checkOp(packedEmbeddingOp, { inputs: { ids, ...table }, attrs, tolerance: 1e-6, traits });
  });

  for (const { batch, length, rows, width, decode, positions } of [
    { batch: 1, length: 1, rows: 1, width: 1, decode: false, positions: false },
    { batch: 3, length: 5, rows: 17, width: 33, decode: false, positions: true },
    { batch: 2, length: 3, rows: 9, width: 20, decode: false, positions: true }, // whole vectors, padded words
    { batch: 7, length: 1, rows: 129, width: 64, decode: true, positions: true },
  ])
    it(`looks up [${batch},${length}] in [${rows},${width}]${decode ? ' in decoding' : ''}`, async () => {
      const ids = integers(
        'i32',
        [batch, length],
        Array.from({ length: batch * length }, (_, i) => (i * 7) % rows),
      );
      const table = packedTensors(format, rows, width, 30);
      const inputs = {
        ids,
        ...table,
        positions: positions ? randomTensor([12, width], 4) : undefined,
        step: decode ? ('step' as const) : undefined,
      };
      const attrs = { format, width, scale: Math.sqrt(width), offset: positions ? 2 : 0, decode };
      await checkOp(packedEmbeddingOp, { inputs, attrs, step: { position: 6 }, tolerance: 1e-6 });
    });

  it('rounds numbers to the nearest step, rows of any width', () => {
    for (const cols of [1, 3, 4, 7, 130]) {
      const matrix = randomTensor([3, cols], cols).data as Float32Array;
      matrix.fill(0, cols, 2 * cols);
      const words = new Uint32Array(3 * wordsOf(format, cols));
      const scales = newScales(format, 3, cols);
      pack(format, matrix, cols, words, scales);
      for (let r = 0; r < 3; r++) {
        const row = matrix.subarray(r * cols, (r + 1) * cols);
        const largest = Math.max(...row.map(Math.abs));
        for (const [k, x] of row.entries()) {
          const [stride, perRow] = [wordsOf(format, cols), scalesPerRow(format, cols)];
          const own = scales.subarray(r * perRow, (r + 1) * perRow);
          const kept = unpacked(format, words.subarray(r * stride, (r + 1) * stride), k, own);
          const step = isInt4(format)
            ? int4Step(row, k, format.startsWith('u'))
            : format === 'int8'
              ? largest / 127
              : Math.max(Math.abs(x) * 2 ** -10, 2 ** -24);
          expect(Math.abs(kept - x)).toBeLessThanOrEqual(0.5001 * step);
        }
      }
    }
    expect(fromFloat16(toFloat16(Float32Array.of(0.5, -2)))).toEqual(Float32Array.of(0.5, -2));
  });

  it('rejects words of another width', () => {
    const x = { dtype: 'f32', shape: [2, 9] } as const;
    const words = { dtype: 'u32', shape: [4, 99] } as const;
    const scales = { dtype: 'f32', shape: [4] } as const;
    expect(() => packedLinearOp.shape({ x, words, scales }, { format })).toThrow(
      errorAbout({ area: 'packed_linear', values: ['packed weights', 'u32', '[4,99]'] }),
    );
  });
});
