// Linear layers whose weights are stored as f16 or int8 and unpacked as they are read. The weights are not trained: only
// the input has a gradient.

import { matrixOf, sizeOf } from '../../core/tensor.ts';
import { attrsOf, type Builder, type DeviceTraits, defineOp, dim, tensorType, type Value } from '../op.ts';
import { expectType } from '../type-checks.ts';
import { dotsColumns, dotsRows, maxDots } from './matmul-kernels.ts';
import { expectPacked, fillsVectors, type PackedFormat, packedBlocks, unpacked, vecsOf } from './packed-weights.ts';

/** How the weights are stored. */
export type PackedLinearAttrs = { readonly format: PackedFormat };

const shaders = { f16: 'packed-linear-f16', int8: 'packed-linear-int8' } as const;

/** x [..,I], words u32 [O, words of I], scales f32 [O] if the format is int8, b [O]; y [..,O] = x·wᵀ + b. */
export const packedLinearOp = defineOp({
  name: 'packed_linear',
  inputs: ['x', 'words', 'scales?', 'b?'],
  outputs: ['y'],
  attrs: attrsOf<PackedLinearAttrs>(),
  shape({ x, words, scales, b }, { format }) {
    expectType('packed_linear', 'x', x, 'f32');
    const outs = expectPacked('packed_linear', format, words, scales, matrixOf(x.shape).cols);
    if (b) expectType('packed_linear', 'b', b, 'f32', [outs], 'one for each row of the packed weights');
    return { y: tensorType('f32', [...x.shape.slice(0, -1), outs]) };
  },
  f16Storage: ['x', 'y'],
  variants({ x, words }, { format }, traits) {
    const { rows, cols } = matrixOf(x.shape);
    const few = rows <= 16 && dim(words, 0) <= maxDots ? ['dots'] : [];
    // Rows with padding are read number by number: no kernel is fast, `rows-4` compiles fast. More rows would not fit
    // the registers of GPUs; int8 takes more of them.
    const most = traits.software ? 16 : format === 'f16' ? 8 : 4;
    return !fillsVectors(format, cols) || rows <= 4 || most === 4
      ? [...few, 'rows-4']
      : [...few, `rows-${most}`, 'rows-4'];
  },
  modelFlops: ({ x }, { y }) => 2 * sizeOf(y.shape) * dim(x, -1),
  launch({ x, words, scales, b }, { y }, { format }, { variant, traits }) {
    const { rows, cols } = matrixOf(x.shape);
    const dots = variant === 'dots';
    const ROWS = dots ? dotsRows(rows) : Number(variant.slice('rows-'.length));
    return packedBlocks(words, scales, traits.maxBindingBytes).map(({ first, ...block }) => {
      const outs = dim(block.words, 0);
      return {
        shader: shaders[format],
        entry: dots ? 'dots' : 'tiles',
        constants: { ROWS, X_WHOLE: fillsVectors(format, cols) ? 1 : 0 },
        params: { rows, ins: cols, outs, vecs: vecsOf(format, cols), bias: b ? 1 : 0, width: dim(words, 0), first },
        bind: { x, w: block.words, ...(block.scales && { scales: block.scales }), bias: b ?? x, y },
        grid: [Math.ceil(outs / (dots ? dotsColumns : 4 * 32)), Math.ceil(rows / ROWS), 1],
        flops: 2 * rows * outs * cols,
      };
    });
  },
  grad(builder, { x, words, scales }, _outputs, { y: dy }, { format }) {
    if (!dy || !builder.needs(x)) return {};
    const ins = matrixOf(x.shape).cols;
    return { x: builder.apply(packedLinearBackwardOp, { dy, words, scales }, { format, ins }).dx };
  },
  reference({ x, words, scales, b }, { y }, { format }) {
    for (let j = 0; j < words.rows; j++) {
      const w = Float64Array.from({ length: x.cols }, (_, k) => unpacked(format, words.row(j), k, scales?.at(j)));
      for (let i = 0; i < x.rows; i++) {
        let sum = b?.at(j) ?? 0;
        for (const [k, weight] of w.entries()) sum += x.at(i, k) * weight;
        y.set(i, j, sum);
      }
    }
  },
});

/**
 * Variants of `packedLinearBackwardOp` for `rows` rows. More rows at once read the weights less often, but int8, with
 * twice the sums, has no registers for them.
 */
export const packedBackwardKernels = (rows: number, format: PackedFormat, { software }: DeviceTraits): string[] =>
  rows <= 4 || format === 'int8' || software ? ['rows-4'] : ['rows-8', 'rows-4'];

/** How the weights are stored, and the numbers in one of their rows. */
export type PackedLinearBackwardAttrs = PackedLinearAttrs & { readonly ins: number };

const backwardShaders = { f16: 'packed-linear-backward-f16', int8: 'packed-linear-backward-int8' } as const;

/** dy [..,O], words u32 [O, words of I], scales f32 [O] if the format is int8; dx [..,I] = dy·w. */
export const packedLinearBackwardOp = defineOp({
  name: 'packed_linear_backward',
  inputs: ['dy', 'words', 'scales?'],
  outputs: ['dx'],
  attrs: attrsOf<PackedLinearBackwardAttrs>(),
  shape({ dy, words, scales }, { format, ins }) {
    const outs = expectPacked('packed_linear_backward', format, words, scales, ins);
    expectType('packed_linear_backward', 'dy', dy, 'f32', [...dy.shape.slice(0, -1), outs], 'as the packed weights');
    return { dx: tensorType('f32', [...dy.shape.slice(0, -1), ins]) };
  },
  f16Storage: ['dy', 'dx'],
  variants: ({ dy }, { format }, traits) => packedBackwardKernels(matrixOf(dy.shape).rows, format, traits),
  modelFlops: ({ dy }, { dx }) => 2 * sizeOf(dx.shape) * dim(dy, -1),
  launch({ dy, words, scales }, { dx }, { format, ins }, { variant, traits }) {
    const { rows, cols: width } = matrixOf(dy.shape);
    const ROWS = Number(variant.slice('rows-'.length));
    const vecs = vecsOf(format, ins);
    return packedBlocks(words, scales, traits.maxBindingBytes).map(({ first, ...block }) => {
      const outs = dim(block.words, 0);
      return {
        shader: backwardShaders[format],
        entry: 'packed_linear_backward',
        constants: { ROWS },
        params: { rows, ins, outs, vecs, width, first, accumulate: first > 0 ? 1 : 0 },
        bind: { dy, w: block.words, ...(block.scales && { scales: block.scales }), dx },
        grid: [Math.ceil(vecs / 32), Math.ceil(rows / ROWS), 1],
        flops: 2 * rows * outs * ins,
      };
    });
  },
  reference({ dy, words, scales }, { dx }, { format, ins }) {
    for (let o = 0; o < words.rows; o++)
      for (let i = 0; i < ins; i++) {
        const weight = unpacked(format, words.row(o), i, scales?.at(o));
        for (let r = 0; r < dy.rows; r++) dx.add(r, i, dy.at(r, o) * weight);
      }
  },
});

/** Packed weights of a layer or a table: words, and scales if the format has them. */
export interface PackedValue {
  readonly format: PackedFormat;
  readonly words: Value;
  readonly scales?: Value;
}

/**
 * x·wᵀ + b of packed weights: x [..,I] -> [..,O].
 *
 * @example
 * const weights = {
 *   format: 'int8',
 *   words: graph.state('words', 'u32', [256, wordsOf('int8', 64)]),
 *   scales: graph.state('scales', 'f32', [256]),
 * } as const;
 * const y = packedLinear(graph, graph.input('x', 'f32', [32, 64]), weights); // [32, 256]
 */
export const packedLinear = (builder: Builder, x: Value, { format, words, scales }: PackedValue, b?: Value): Value =>
  builder.apply(packedLinearOp, { x, words, scales, b }, { format }).y;
