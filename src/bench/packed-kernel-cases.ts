// Kernels that save memory: f16 and int8 weights, LoRA, mixed precision, and the loss that does not store all logits.

import { storeAsF16 } from '../graph/f16-storage.ts';
import { castWeightsOp } from '../ops/elementwise/cast-weights.ts';
import { addColumns, takeColumns } from '../ops/elementwise/columns.ts';
import { packedEmbedding } from '../ops/embedding/packed-embedding.ts';
import { projectedLossOp } from '../ops/loss/projected-loss.ts';
import { linear as plainLinear } from '../ops/matmul/linear.ts';
import { linearBackward } from '../ops/matmul/linear-backward.ts';
import { packedLinear } from '../ops/matmul/packed-linear.ts';
import { packedLinearBackwardOp } from '../ops/matmul/packed-linear-backward.ts';
import { type PackedFormat, pack, wordsOf } from '../ops/matmul/packed-weights.ts';
import { scaleStep } from '../ops/optimizer/clip.ts';
import { input, type KernelCase, spaced, step } from './kernel-case.ts';

/** A matrix of sine values in a weight format, with the scales of its rows. */
function packed(format: PackedFormat, rows: number, cols: number) {
  const words = new Uint32Array(rows * wordsOf(format, cols));
  const scales = new Float32Array(rows);
  pack(
    format,
    Float32Array.from({ length: rows * cols }, (_, i) => Math.sin(i * 0.37) / 2),
    cols,
    words,
    scales,
  );
  return { words, scales };
}

/** Linear layer with packed weights. */
export const linearOfPacked = (format: PackedFormat, rows: number, I: number, O: number): KernelCase => ({
  name: `linear ${format} [${rows},${I}]x[${O},${I}]ᵀ`,
  group: 'products',
  build(g) {
    const words = g.input('words', 'u32', [O, wordsOf(format, I)]);
    const scales = format === 'int8' ? { scales: input(g, 'scales', [O]) } : {};
    packedLinear(g, input(g, 'x', [rows, I]), { format, words, ...scales }, input(g, 'b', [O]));
  },
  data: (name) => (name === 'words' || name === 'scales' ? packed(format, O, I)[name] : undefined),
});

/** The gradient of the input of a layer with packed weights. */
export const packedLinearBackward = (format: PackedFormat, rows: number, I: number, O: number): KernelCase => ({
  name: `linear ${format} dx [${rows},${O}]x[${O},${I}]`,
  group: 'products',
  build(g) {
    const words = g.input('words', 'u32', [O, wordsOf(format, I)]);
    const scales = format === 'int8' ? { scales: input(g, 'scales', [O]) } : {};
    g.apply(packedLinearBackwardOp, { dy: input(g, 'dy', [rows, O]), words, ...scales }, { format, ins: I });
  },
  data: (name) => (name === 'words' || name === 'scales' ? packed(format, O, I)[name] : undefined),
});

/** Embedding from a packed table. */
export function embeddingOfPacked(format: PackedFormat, B: number, T: number, V: number, D: number): KernelCase {
  return {
    name: `embedding ${format} [${B},${T}] of [${V},${D}]`,
    group: 'rows',
    build(g) {
      const words = g.input('words', 'u32', [V, wordsOf(format, D)]);
      const scales = format === 'int8' ? { scales: input(g, 'scales', [V]) } : {};
      packedEmbedding(g, g.input('ids', 'i32', [B, T]), { format, words, ...scales }, { width: D });
    },
    data(name, length) {
      if (name === 'ids') return Int32Array.from({ length }, (_, i) => (i * 7919) % V);
      return name === 'words' || name === 'scales' ? packed(format, V, D)[name] : undefined;
    },
    bytes: B * T * (4 + 4 * wordsOf(format, D) + 4 * D), // only the rows of the table that are read
  };
}

/** Output projection, loss and all gradients, 128 rows at a time. */
export const projectedLoss = (rows: number, D: number, V: number): KernelCase => ({
  name: `loss of projection [${rows},${D}]x[${V},${D}]ᵀ`,
  group: 'products',
  build(g) {
    const targets = g.input('targets', 'i32', [rows]);
    const inputs = { x: input(g, 'x', [rows, D]), w: input(g, 'w', [V, D]), targets, step: step(g) };
    g.apply(projectedLossOp, inputs, { smoothing: 0.1, ignore: 0, gradients: true, rows: 128 });
  },
  data: (name, length) => (name === 'targets' ? Int32Array.from({ length }, (_, i) => (i * 7919) % V) : undefined),
});

/** A linear layer as mixed precision stores it: operands as f16, sums and results in f32. */
export function linearF16(rows: number, I: number, O: number, back: boolean): KernelCase {
  return {
    name: `linear${back ? ' backward' : ''} of f16 [${rows},${I}]x[${O},${I}]ᵀ`,
    group: 'products',
    build(g) {
      const [x, w] = [input(g, 'x', [rows, I]), input(g, 'w', [O, I])];
      const dy = back ? [input(g, 'dy', [rows, O])] : [];
      for (const d of dy) linearBackward(g, d, x, w, { dx: true, dw: true, db: true });
      if (!back) plainLinear(g, x, w);
      storeAsF16(g, [x, w, ...dy]);
    },
    // Numbers that f16 represents exactly.
    data: (name, length) => Float32Array.from({ length }, (_, i) => ((i * (name === 'x' ? 37 : 59)) % 127) / 64 - 1),
    needs: 'f16',
  };
}

/** The f16 copies of weights. */
export const castToF16 = (size: number): KernelCase => ({
  name: `weights to f16 [${spaced(size)}]`,
  group: 'elements',
  build: (g) =>
    void g.apply(castWeightsOp, {
      weights: g.state('weights', 'f32', [size]),
      copies: g.state('copies', 'f16', [size]),
    }),
  bytes: 6 * size,
  needs: 'f16',
});

/** Columns of a LoRA adapter: added to the columns of a layer, or extracted for the gradient. */
export const columns = (kind: 'add' | 'take', rows: number, N: number, count: number): KernelCase => ({
  name: `${kind} columns [${rows},${count}] of [${rows},${N}]`,
  group: 'elements',
  build(g) {
    const x = input(g, 'x', [rows, N]);
    if (kind === 'take') return void takeColumns(g, x, { first: N - count, scale: 0.5, count });
    addColumns(g, x, input(g, 'u', [rows, count]), { first: N - count, scale: 0.5 });
  },
  ...(kind === 'take' && { bytes: 8 * rows * count }),
});

/** The loss scale of mixed precision. */
export const lossScale: KernelCase = {
  name: 'scale of the loss',
  group: 'elements',
  build: (g) => void scaleStep(g, step(g), g.state('counters', 'f32', [8])),
  data: (name, length) => (name === 'counters' ? new Float32Array(length).fill(4) : undefined),
};
