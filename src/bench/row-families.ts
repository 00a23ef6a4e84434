// Kernel families that compute row by row: norms, softmax, embeddings, losses.

import { HeddleError } from '../core/errors.ts';
import { gradients } from '../engine/graph/gradient.ts';
import { embedding } from '../engine/ops/embedding/embedding.ts';
import { packedEmbedding } from '../engine/ops/embedding/packed-embedding.ts';
import { crossEntropy } from '../engine/ops/loss/cross-entropy.ts';
import { projectedLossOp } from '../engine/ops/loss/projected-loss.ts';
import { wordsOf } from '../engine/ops/matmul/packed-weights.ts';
import { addLayerNorm, addRmsNormOp, layerNorm, rmsNorm } from '../engine/ops/norm/layer-norm.ts';
import { softmax } from '../engine/ops/norm/softmax.ts';
import { sampleIds } from '../engine/ops/op.ts';
import { backward, input, step } from './kernel-case.ts';
import { choice, family, named, pass, rows, size, storage, vocab } from './kernel-family.ts';
import { packedData, packedMatrix } from './product-families.ts';

/** `count` token ids, and an index of their positions that the gradient of the embedding table needs. */
function indexedIds(count: number, vocab: number) {
  const ids = Int32Array.from({ length: count }, (_, i) => sampleIds(vocab)(i));
  const occurrences = Array.from(ids.keys()).sort((i, j) => (ids[i] as number) - (ids[j] as number) || i - j);
  const rowStart = Array.from({ length: vocab + 1 }, () => 0);
  for (const id of ids) rowStart[id + 1] = (rowStart[id + 1] as number) + 1;
  for (let v = 0; v < vocab; v++) rowStart[v + 1] = (rowStart[v + 1] as number) + (rowStart[v] as number);
  return { ids, rowStart, occurrences };
}

/** Families that compute row by row. */
export const rowFamilies = {
  'layer norm': family({
    label: 'Layer norm',
    group: 'rows',
    fields: {
      rows,
      width: size('Width', 512),
      pass: choice('Pass', 'forward', 'backward', 'add, dropout, norm'),
      dtype: storage,
    },
    make({ rows, width, pass }) {
      const fused = pass === 'add, dropout, norm';
      return {
        name: `${fused ? 'add, dropout, layer norm' : named('layer norm', pass)} [${rows},${width}]`,
        build(g) {
          const x = input(g, 'x', [rows, width]);
          const residual = fused && input(g, 'residual', [rows, width]);
          const [gamma, beta] = [input(g, 'gamma', [width]), input(g, 'beta', [width])];
          if (residual) {
            const inputs = { x, residual, gamma, beta, step: step(g) };
            addLayerNorm(g, inputs, { eps: 1e-5, rate: 0.1, site: 1 });
            return;
          }
          const y = layerNorm(g, x, gamma, beta, 1e-5);
          if (pass === 'backward') backward(g, y, [x]);
        },
        op: pass === 'backward' ? 'layer_norm_backward' : undefined,
      };
    },
  }),
  'RMS norm': family({
    label: 'RMS norm',
    group: 'rows',
    fields: {
      rows,
      width: size('Width', 512),
      pass: choice('Pass', 'forward', 'backward', 'fused'),
      dtype: storage,
    },
    make: ({ rows, width, pass }) => ({
      name: `${pass === 'fused' ? 'add, dropout, RMS norm' : named('RMS norm', pass)} [${rows},${width}]`,
      build(g) {
        const [x, gamma] = [input(g, 'x', [rows, width]), input(g, 'gamma', [width])];
        if (pass === 'fused') {
          const inputs = { x, residual: input(g, 'residual', [rows, width]), gamma, step: step(g) };
          g.apply(addRmsNormOp, inputs, { eps: 1e-6, rate: 0.1, site: 1 });
          return;
        }
        const y = rmsNorm(g, x, gamma, 1e-6);
        if (pass === 'backward') backward(g, y, [x]);
      },
      op: pass === 'backward' ? 'rms_norm_backward' : undefined,
    }),
  }),
  softmax: family({
    label: 'Softmax',
    group: 'rows',
    fields: { rows, width: size('Columns', 512, 300_000), pass },
    make: ({ rows, width, pass }) => ({
      name: `${named('softmax', pass)} [${rows},${width}]`,
      build(g) {
        const x = input(g, 'x', [rows, width]);
        const y = softmax(g, x);
        if (pass === 'backward') backward(g, y, [x]);
      },
      op: pass === 'backward' ? 'softmax_backward' : undefined,
    }),
  }),
  embedding: family({
    label: 'Embedding',
    group: 'rows',
    fields: {
      batch: size('Sentences', 32, 4096),
      length: size('Length', 64, 8192),
      vocab,
      width: size('Width', 512, 8192),
      pass,
      dtype: choice('Table', 'f32', 'f16', 'int8', 'int4'),
    },
    make({ batch, length, vocab, width, pass, dtype: format }) {
      const count = batch * length;
      const sizes = `[${batch},${length}] of [${vocab},${width}]`;
      if (format === 'f32') {
        const back = pass === 'backward';
        return {
          name: `${named('embedding', pass)} ${sizes}`,
          build(g) {
            const table = input(g, 'table', [vocab, width]);
            const index = {
              rowStart: g.input('rowStart', 'u32', [vocab + 1]),
              occurrences: g.input('occurrences', 'u32', [count]),
            };
            const ids = g.input('ids', 'i32', [batch, length]);
            const y = embedding(g, ids, table, { scale: Math.sqrt(width), index: back ? index : undefined });
            if (back) backward(g, y, [table]);
          },
          data: () => indexedIds(count, vocab),
          bytes: back ? undefined : 4 * count * (1 + 2 * width), // only the rows of the table that are read
        };
      }
      if (pass === 'backward')
        throw new HeddleError('only a table of f32 has a gradient; choose f32', { area: 'embedding' });
      return {
        name: `embedding ${format} ${sizes}`,
        build(g) {
          const weights = packedMatrix(g, format, vocab, width);
          packedEmbedding(g, g.input('ids', 'i32', [batch, length]), { format, ...weights }, { width });
        },
        data: () => ({ ids: sampleIds(vocab), ...packedData(format, vocab, width) }),
        bytes: count * (4 + 4 * wordsOf(format, width) + 4 * width), // only the rows of the table that are read
      };
    },
  }),
  // `train`: the loss of each row, and the gradient in place of the logits; `loss` or `backward`: one of
  // them.
  'cross-entropy': family({
    label: 'Cross-entropy',
    group: 'rows',
    fields: { rows, vocab, pass: choice('Pass', 'train', 'loss', 'backward'), dtype: storage },
    make: ({ rows, vocab, pass }) => ({
      name: `${pass === 'train' ? 'cross-entropy with gradient' : named('cross-entropy', pass)} [${rows},${vocab}]`,
      build(g) {
        const targets = g.input('targets', 'i32', [rows]);
        const logits = input(g, 'logits', [rows, vocab]);
        const attrs = { smoothing: 0.1, ignore: 0, fused: pass === 'train' };
        const { nll } = crossEntropy(g, logits, targets, step(g), attrs);
        if (pass === 'backward') gradients(g, nll, [logits]);
      },
      data: () => ({ targets: sampleIds(vocab) }),
    }),
  }),
  // Output projection, loss and all gradients, 128 rows at a time.
  'projected loss': family({
    label: 'Loss of the output projection',
    group: 'products',
    fields: { rows: size('Rows', 256), width: size('Width', 256, 8192), vocab },
    make: ({ rows, width, vocab }) => ({
      name: `loss of projection [${rows},${width}]x[${vocab},${width}]ᵀ`,
      build(g) {
        const targets = g.input('targets', 'i32', [rows]);
        const inputs = {
          x: input(g, 'x', [rows, width]),
          w: input(g, 'w', [vocab, width]),
          targets,
          step: step(g),
        };
        g.apply(projectedLossOp, inputs, { smoothing: 0.1, ignore: 0, gradients: true, rows: 128 });
      },
      data: () => ({ targets: sampleIds(vocab) }),
    }),
  }),
};
