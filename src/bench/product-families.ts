// Kernel families of matrix products.

import type { Shape } from '../core/tensor.ts';
import { storeAsF16 } from '../engine/graph/f16-storage.ts';
import type { Graph } from '../engine/graph/graph.ts';
import { linear } from '../engine/ops/matmul/linear.ts';
import { linearBackward } from '../engine/ops/matmul/linear-backward.ts';
import { matmul } from '../engine/ops/matmul/matmul.ts';
import { packedLinear } from '../engine/ops/matmul/packed-linear.ts';
import { packedLinearBackwardOp } from '../engine/ops/matmul/packed-linear-backward.ts';
import {
  newScales,
  type PackedFormat,
  pack,
  packedFormats,
  scalesType,
  wordsOf,
} from '../engine/ops/matmul/packed-weights.ts';
import { backward, input } from './kernel-case.ts';
import { choice, family, named, pass, size } from './kernel-family.ts';

const show = (shape: Shape, transposed: boolean) => `[${shape.join(',')}]${transposed ? 'ᵀ' : ''}`;

/** A packed matrix as inputs: its words, and its scales. */
export function packedMatrix(g: Graph, format: PackedFormat, rows: number, cols: number) {
  const words = g.input('words', 'u32', [rows, wordsOf(format, cols)]);
  const type = scalesType(format, rows, cols);
  const scales = type && g.input('scales', type.dtype, type.shape);
  return { words, scales };
}

/** The data of a packed matrix of sine values. */
export function packedData(format: PackedFormat, rows: number, cols: number) {
  const words = new Uint32Array(rows * wordsOf(format, cols));
  const scales = newScales(format, rows, cols);
  const numbers = Float32Array.from({ length: rows * cols }, (_, i) => Math.sin(i * 0.37) / 2);
  pack(format, numbers, cols, words, scales);
  return { words, scales };
}

/** Families of matrix products. */
export const productFamilies = {
  matmul: family({
    label: 'Matrix product',
    group: 'products',
    fields: {
      M: size('M', 256),
      K: size('K', 256),
      N: size('N', 256),
      form: choice('Transposed', 'NN', 'NT', 'TN'),
    },
    make({ M, K, N, form }) {
      const [transA, transB] = [form === 'TN', form === 'NT'];
      const a = transA ? [K, M] : [M, K];
      const b = transB ? [N, K] : [K, N];
      return {
        name: `matmul ${show(a, transA)}x${show(b, transB)}`,
        build: (g) => void matmul(g, input(g, 'a', a), input(g, 'b', b), { transA, transB }),
      };
    },
  }),
  // f32: with ReLU, or all its gradients without. f16: operands as mixed precision stores them; sums and
  // results are f32.
  linear: family({
    label: 'Linear layer',
    group: 'products',
    fields: {
      rows: size('Rows (M)', 768, 1_000_000),
      inputs: size('Inputs (K)', 256),
      outputs: size('Outputs (N)', 1024, 300_000),
      pass,
      dtype: choice('Storage', 'f32', 'f16', 'f16 weights', 'int8 weights', 'int4 weights', 'uint4 weights'),
    },
    make({ rows, inputs, outputs, pass, dtype }) {
      const back = pass === 'backward';
      const sizes = `[${rows},${inputs}]x[${outputs},${inputs}]ᵀ`;
      if (dtype === 'f32')
        return {
          name: `linear ${back ? 'backward' : 'relu'} ${sizes}`,
          build(g) {
            const [x, w] = [input(g, 'x', [rows, inputs]), input(g, 'w', [outputs, inputs])];
            const b = input(g, 'b', [outputs]);
            const y = linear(g, x, w, b, back ? 'none' : 'relu');
            if (back) backward(g, y, [x, w, b]);
          },
          op: back ? 'linear_backward' : undefined,
        };
      if (dtype === 'f16') {
        // Numbers that f16 represents exactly.
        const exact = (factor: number) => (i: number) => ((i * factor) % 127) / 64 - 1;
        return {
          name: `${named('linear', pass)} of f16 ${sizes}`,
          build(g) {
            const [x, w] = [input(g, 'x', [rows, inputs]), input(g, 'w', [outputs, inputs])];
            const dy = back ? [input(g, 'dy', [rows, outputs])] : [];
            for (const d of dy) linearBackward(g, d, x, w, { dx: true, dw: true, db: true });
            if (!back) linear(g, x, w);
            storeAsF16(g, [x, w, ...dy]);
          },
          data: () => ({ x: exact(37), w: exact(59), dy: exact(59) }),
          needs: 'f16',
        };
      }
      const format = packedFormats.find((one) => dtype === `${one} weights`) ?? 'f16';
      return {
        name: back
          ? `linear ${format} dx [${rows},${outputs}]x[${outputs},${inputs}]`
          : `linear ${format} ${sizes}`,
        build(g) {
          const weights = packedMatrix(g, format, outputs, inputs);
          if (back)
            g.apply(
              packedLinearBackwardOp,
              { dy: input(g, 'dy', [rows, outputs]), ...weights },
              { format, ins: inputs },
            );
          else
            packedLinear(g, input(g, 'x', [rows, inputs]), { format, ...weights }, input(g, 'b', [outputs]));
        },
        data: () => packedData(format, outputs, inputs),
      };
    },
  }),
};
