// The ops of a transformer's inference as ONNX operators, without those of attention (onnx-attention.ts).

import { type TensorData, transposed } from '../../../core/tensor.ts';
import { addColumnsOp, takeColumnsOp } from '../../../engine/ops/elementwise/columns.ts';
import { activationOp, addOp, logMeanOp } from '../../../engine/ops/elementwise/elementwise-ops.ts';
import { gatedActivationOp } from '../../../engine/ops/elementwise/gated-activation.ts';
import { embeddingOp, type LookupAttrs } from '../../../engine/ops/embedding/embedding.ts';
import { packedEmbeddingOp } from '../../../engine/ops/embedding/packed-embedding.ts';
import { linearOp } from '../../../engine/ops/matmul/linear.ts';
import { int4Block, int4Quantizer } from '../../../engine/ops/matmul/packed-int4.ts';
import { packedLinearOp } from '../../../engine/ops/matmul/packed-linear.ts';
import {
  type PackedFormat,
  scalesPerRow,
  unpacked,
  vecsOf,
  wordsOf,
} from '../../../engine/ops/matmul/packed-weights.ts';
import { addLayerNormOp, addRmsNormOp, layerNormOp, rmsNormOp } from '../../../engine/ops/norm/layer-norm.ts';
import { softmaxOp } from '../../../engine/ops/norm/softmax.ts';
import type { Value } from '../../../engine/ops/op.ts';
import { readStep } from '../../../engine/ops/step-scalars.ts';
import { wholeVectors } from '../../../engine/ops/work-division.ts';
import type { HostRun } from './host-values.ts';
import { onnxActivation } from './onnx-activations.ts';
import type { Name } from './onnx-graph.ts';
import { type OnnxEntry, onnxOp } from './onnx-op.ts';
import type { SegmentBuilder } from './segment-builder.ts';

/** The last axis of rows of `out` numbers, filled with zeros to whole vectors if `padded`. */
const widthOf = (out: number, padded = false): number => (padded ? wholeVectors(out) : out);

/** Rows of `from` numbers with zeros added up to `to` numbers. */
function padRows(data: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return data;
  const padded = new Float32Array((data.length / from) * to);
  for (let r = 0; r * from < data.length; r++) padded.set(data.subarray(r * from, (r + 1) * from), r * to);
  return padded;
}

/** A weight matrix [O,I] as [I, width], since ONNX has no product with a transposed matrix. */
function columnsOf(b: SegmentBuilder, w: Value, width: number): Name {
  const [out = 0, inner = 0] = w.shape;
  if (w.kind !== 'state') return b.op('Transpose', [b.of(w)], { perm: [1, 0] });
  return b.constant([w], {
    key: `columns ${width}`,
    type: 'float',
    shape: [inner, width],
    from: (data) => padRows(transposed(data as Float32Array, out, inner), out, width),
  });
}

/** y plus a bias, filled with zeros up to `width` numbers. */
function addBias(b: SegmentBuilder, y: Name, bias: Value | undefined, width: number): Name {
  if (!bias) return y;
  const [out = 0] = bias.shape;
  const from = (data: TensorData) => padRows(data as Float32Array, out, width);
  const layout = { key: `padded ${width}`, type: 'float', shape: [width], from } as const;
  return b.op('Add', [y, out === width ? b.of(bias) : b.constant([bias], layout)]);
}

/** Packed weights [O, words of I] as f32 numbers [O,I]. */
function unpackedRows(
  format: PackedFormat,
  out: number,
  inner: number,
  data: readonly TensorData[],
): Float32Array {
  const [words = new Uint32Array(), scales] = data;
  const [width, perRow] = [wordsOf(format, inner), scalesPerRow(format, inner)];
  const rows = new Float32Array(out * inner);
  for (let r = 0; r < out; r++) {
    const own = words.subarray(r * width, (r + 1) * width);
    const ownScales = scales?.subarray(r * perRow, (r + 1) * perRow);
    for (let k = 0; k < inner; k++) rows[r * inner + k] = unpacked(format, own, k, ownScales);
  }
  return rows;
}

/** x · wᵀ for packed weights, which are unpacked when the model loads; in four bits they stay packed. */
function packedProduct(
  b: SegmentBuilder,
  x: Value,
  weights: readonly [words: Value, ...scales: Value[]],
  format: PackedFormat,
  width: number,
): Name {
  const [out = 0, inner = 0] = [weights[0].shape[0], x.shape.at(-1)];
  if (format !== 'int4' && format !== 'int4-f32')
    return b.op('MatMul', [
      b.of(x),
      b.constant(weights, {
        key: `${format} columns ${width}`,
        type: 'float',
        shape: [inner, width],
        from: (...data) =>
          padRows(transposed(unpackedRows(format, out, inner, data), out, inner), out, width),
      }),
    ]);
  const blocks = vecsOf(format, inner);
  const scales = b.constant(weights, {
    key: `${format} scales`,
    type: 'float',
    shape: [width * blocks],
    from: (_, packed) => blockScales(format, packed as Uint32Array, width, blocks),
  });
  const words = b.constant([weights[0]], {
    key: `nibbles ${width}`,
    type: 'uint8',
    shape: [width, blocks, 16],
    from: (data) => padded(data as Uint32Array, width * blocks * 4),
  });
  const attributes = { K: inner, N: width, bits: 4, block_size: 32, accuracy_level: 1 };
  return b.op('MatMulNBits', [b.of(x), words, scales], attributes);
}

/** Numbers with zeros added up to `length`. */
function padded(data: Uint32Array, length: number): Uint32Array {
  if (data.length === length) return data;
  const all = new Uint32Array(length);
  all.set(data);
  return all;
}

/** The scales of the blocks of all rows, f32 [rows, blocks]; 0 for rows after the last. */
function blockScales(
  format: 'int4' | 'int4-f32',
  packed: Uint32Array,
  rows: number,
  blocks: number,
): Float32Array {
  const perRow = scalesPerRow(format, blocks * int4Block);
  const layout = { SCALES_F32: format === 'int4-f32' ? 1 : 0, ZERO_POINTS: 0 } as const;
  const scales = new Float32Array(rows * blocks);
  for (let r = 0; (r + 1) * perRow <= packed.length; r++)
    for (let block = 0; block < blocks; block++) {
      const own = packed.subarray(r * perRow, (r + 1) * perRow);
      scales[r * blocks + block] = int4Quantizer(own, block, blocks, layout).scale;
    }
  return scales;
}

/** What embeddings read, but the table. */
interface LookUp {
  readonly ids: Value;
  readonly positions?: Value;
  readonly positionIds?: Value;
  readonly step?: Value;
}

/** The table of an embedding: as a constant of the model, and its rows on the host. */
interface Table {
  /** What the table is, as a key. */
  readonly key: string;
  readonly width: number;
  whole(): Name;
  /** Returns the function that writes the row of an id into numbers. */
  rows(run: HostRun): (id: number, to: Float32Array) => void;
}

/**
 * Rows of a table for ids [B,T]: [B,T,D]. The host reads them from the weights that it has, so that a table that is
 * tied to the output projection is in the memory of WebAssembly once. Ids that the model computes need the whole table.
 */
function rowsOf(b: SegmentBuilder, { key, width, whole, rows }: Table, ids: Value): Name {
  if (b.has(ids)) return b.op('Gather', [whole(), b.op('Max', [b.of(ids), int32(b, 0)])]);
  return b.feed(`rows ${key} ${ids.id}`, 'float', ids.shape.length + 1, (run) => {
    const wanted = run.data(ids);
    const write = rows(run);
    const data = new Float32Array(wanted.length * width);
    for (const [i, id] of wanted.entries()) if (id >= 0) write(id, data.subarray(i * width, (i + 1) * width));
    return { data, dims: [...ids.shape, width] };
  });
}

/** Rows of a table for ids [B,T], zeros for -1, times the scale, plus positions: [B,T,D]. */
function lookUp(
  b: SegmentBuilder,
  table: Table,
  { ids, positions, positionIds, step }: LookUp,
  { scale, offset, decode }: LookupAttrs,
): Name {
  const rows = rowsOf(b, table, ids);
  const isToken = b.op('Cast', [b.op('GreaterOrEqual', [b.of(ids), int32(b, 0)])], { to: 1 });
  const factor = b.op('Mul', [b.op('Unsqueeze', [isToken, b.integers(-1)]), b.scalar(scale)]);
  const own = b.op('Mul', [rows, factor]);
  if (!positions) return own;
  const places = positionIds
    ? b.of(positionIds)
    : b.feed(`positions ${ids.id} ${offset} ${decode}`, 'int32', 1, (run) => {
        const first = offset + (decode && step ? readStep(run.data(step)).position : 0);
        const T = ids.shape[1] ?? 0;
        return { data: Int32Array.from({ length: T }, (_, t) => first + t), dims: [T] };
      });
  return b.op('Add', [own, b.op('Gather', [b.weight(positions), places])]);
}

/** An integer constant in int32. */
const int32 = (b: SegmentBuilder, n: number): Name =>
  b.once(`int32 ${n}`, () => b.op('Cast', [b.integers(n)], { to: 6 }));

/** LayerNorm, or RMSNorm without beta, over the last axis. */
function norm(b: SegmentBuilder, x: Name, eps: number, gamma: Value, beta?: Value): Name {
  if (beta)
    return b.op('LayerNormalization', [x, b.of(gamma), b.of(beta)], { axis: -1, epsilon: { float: eps } });
  const square = b.op('ReduceMean', [b.op('Mul', [x, x])], { axes: [-1], keepdims: 1 });
  const root = b.op('Sqrt', [b.op('Add', [square, b.scalar(eps)])]);
  return b.op('Mul', [b.op('Div', [x, root]), b.of(gamma)]);
}

/** x plus its residual, and the norm of the sum. */
function addNorm(
  b: SegmentBuilder,
  {
    x,
    residual,
    gamma,
    beta,
  }: { readonly [N in 'x' | 'residual' | 'gamma']: Value } & { readonly beta?: Value },
  eps: number,
): { readonly y: Name; readonly s: Name } {
  const s = b.op('Add', [b.of(x), b.of(residual)]);
  return { y: norm(b, s, eps, gamma, beta), s };
}

/** Whether a node has no dropout: models without a GPU are not trained. */
const noDropout = (_inputs: unknown, { rate = 0 }: { readonly rate?: number }): boolean => rate === 0;

/** Columns `first` to `end` - 1 of x. */
const columns = (b: SegmentBuilder, x: Name, first: number, end: number): Name =>
  b.op('Slice', [x, b.integers(first), b.integers(end), b.integers(-1)]);

/** The ops of this file. */
export const onnxOps: readonly OnnxEntry[] = [
  onnxOp(linearOp, {
    fits: noDropout,
    lower(b, { x, w, b: bias }, { activation, padded }) {
      const width = widthOf(w.shape[0] ?? 0, padded);
      const z = addBias(b, b.op('MatMul', [b.of(x), columnsOf(b, w, width)]), bias, width);
      return { y: onnxActivation(b, activation, z), z };
    },
  }),
  onnxOp(packedLinearOp, {
    lower(b, { x, words, scales, b: bias }, { format, padded }) {
      const width = widthOf(words.shape[0] ?? 0, padded);
      const weights = scales ? ([words, scales] as const) : ([words] as const);
      return { y: addBias(b, packedProduct(b, x, weights, format, width), bias, width) };
    },
  }),
  onnxOp(embeddingOp, {
    fits: noDropout,
    lower(b, { table, ...inputs }, attrs) {
      const width = table.shape[1] ?? 0;
      const own: Table = {
        key: b.keyOf(table),
        width,
        whole: () => b.of(table),
        rows(run) {
          const all = run.data(table) as Float32Array;
          return (id, to) => to.set(all.subarray(id * width, (id + 1) * width));
        },
      };
      return { out: lookUp(b, own, inputs, attrs) };
    },
  }),
  onnxOp(packedEmbeddingOp, {
    lower(b, { words, scales, ...inputs }, attrs) {
      const { format, width } = attrs;
      const out = words.shape[0] ?? 0;
      const parts = scales ? [words, scales] : [words];
      const [rowWords, rowScales] = [wordsOf(format, width), scalesPerRow(format, width)];
      const table: Table = {
        key: b.keyOf(words),
        width,
        whole: () =>
          b.constant(parts, {
            key: `${format} rows`,
            type: 'float',
            shape: [out, width],
            from: (...data) => unpackedRows(format, out, width, data),
          }),
        rows(run) {
          const [all, allScales] = parts.map((part) => run.data(part));
          return (id, to) => {
            const own = [
              all?.subarray(id * rowWords, (id + 1) * rowWords) ?? new Uint32Array(),
              allScales?.subarray(id * rowScales, (id + 1) * rowScales) ?? new Uint32Array(),
            ];
            to.set(unpackedRows(format, 1, width, scales ? own : own.slice(0, 1)));
          };
        },
      };
      return { out: lookUp(b, table, inputs, attrs) };
    },
  }),
  onnxOp(layerNormOp, {
    without: ['stats'],
    lower: (b, { x, gamma, beta }, { eps }) => ({ y: norm(b, b.of(x), eps, gamma, beta) }),
  }),
  onnxOp(rmsNormOp, {
    without: ['stats'],
    lower: (b, { x, gamma }, { eps }) => ({ y: norm(b, b.of(x), eps, gamma) }),
  }),
  onnxOp(addLayerNormOp, {
    without: ['stats'],
    fits: noDropout,
    lower: (b, inputs, { eps }) => addNorm(b, inputs, eps),
  }),
  onnxOp(addRmsNormOp, {
    without: ['stats'],
    fits: noDropout,
    lower: (b, inputs, { eps }) => addNorm(b, inputs, eps),
  }),
  onnxOp(addOp, { lower: (b, { a, b: other }) => ({ y: b.op('Add', [b.of(a), b.of(other)]) }) }),
  onnxOp(activationOp, { lower: (b, { x }, { kind }) => ({ y: onnxActivation(b, kind, b.of(x)) }) }),
  onnxOp(gatedActivationOp, {
    lower(b, { x }, { kind }) {
      const [a = '', gate = ''] = b.ops('Split', [b.of(x)], 2, { axis: -1 });
      return { y: b.op('Mul', [onnxActivation(b, kind, a), gate]) };
    },
  }),
  onnxOp(takeColumnsOp, {
    lower(b, { x }, { first, count, scale }) {
      const all = first === 0 && count === x.shape.at(-1);
      const some = all ? b.of(x) : columns(b, b.of(x), first, first + count);
      return { y: scale === 1 ? some : b.op('Mul', [some, b.scalar(scale)]) };
    },
  }),
  onnxOp(addColumnsOp, {
    lower(b, { x, u }, { first, scale }) {
      const [N = 0, n = 0, rank] = [x.shape.at(-1), u.shape.at(-1), x.shape.length];
      const zeros = new Array(rank - 1).fill(0);
      const scaled = b.op('Mul', [b.of(u), b.scalar(scale)]);
      const wide = b.op('Pad', [scaled, b.integers(...zeros, first, ...zeros, N - first - n)]);
      return { y: b.op('Add', [b.of(x), wide]) };
    },
  }),
  onnxOp(softmaxOp, {
    fits: ({ lens }, { causal }) => !lens && !causal,
    lower: (b, { x }) => ({ y: b.op('Softmax', [b.of(x)], { axis: -1 }) }),
  }),
  onnxOp(logMeanOp, {
    lower: (b, { x }, { count }) => ({
      y: b.op('Log', [b.op('Max', [b.op('Mul', [b.of(x), b.scalar(1 / count)]), b.scalar(1e-37)])]),
    }),
  }),
];
