// Whole sublayers of a decoding step for few rows, one dispatch each: for devices on which a dispatch costs more
// than its work. Each sublayer ends with the shares of its workgroups in the output product, which the next one adds
// up before its norm. src/engine/graph/fewer-launches.ts puts them in the place of the ops that they consist of; the
// variant `parts` of each runs those.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show, sizeOf, type TensorType, tensorType } from '../../../core/tensor.ts';
import type { CachedAttentionAttrs } from '../decoding/cached-attention.ts';
import type { Activation } from '../elementwise/elementwise-ops.ts';
import { attrsOf, defineOp, type Launch, type Value } from '../op.ts';
import { expectStep, expectType } from '../type-checks.ts';
import { wholeVectors } from '../work-division.ts';
import { type RowInputAttrs, type RowInputs, type RowSizes, rowChunk, rowLaunch } from './row-launch.ts';
import { RowParts } from './row-parts.ts';
import { fusedOrParts, parts } from './row-variant.ts';

/** Attributes of an attention: heads, and offsets of its two matrices in `matrices`, in numbers. */
export type RowAttentionAttrs = RowInputAttrs &
  CachedAttentionAttrs & { readonly inAt: number; readonly outAt: number };

/** Attributes of a feed-forward block: its hidden units, and offsets of its matrices. */
export type RowFeedForwardAttrs = RowInputAttrs & {
  readonly hidden: number;
  readonly activation: Activation;
  readonly inAt: number;
  readonly outAt: number;
};

/** Attributes of the logits: tokens, and the width of a row, which is padded with zeros. */
export type RowLogitsAttrs = RowInputAttrs & { readonly vocab: number; readonly width: number };

/** Number of rows that a workgroup for each of them suits. */
export const maxRows = 8;

const threads = 256;

/** Workgroup memory of a kernel in bytes; the variables of the shader. */
const workgroupBytes = (cols: number, width: number, inner: number): number =>
  4 * cols + 4 * threads * (1 + 2 + 1 + 1 + 4 + 1) + 4 * 3 * width + 4 * inner;

/** Whether a row of `cols` numbers and a head of `width` fit the workgroup memory that every adapter has. */
export const fitsRows = (cols: number, width = 4): boolean =>
  cols % 4 === 0 && width % 4 === 0 && width <= 128 && workgroupBytes(cols, width, 128) <= 16384;

/** Checks the inputs that all ops have; returns the rows and their width. */
function rowsOf(op: string, inputs: RowInputs<TensorType>, attrs: RowInputAttrs): [R: number, D: number] {
  const { x, parts: before, vectors, matrices } = inputs;
  const [R, D] = [dim(x, 0), dim(x, -1)];
  expectType(op, 'x', x, 'f32', [R, 1, D]);
  if (before) expectType(op, 'parts', before, 'f32', [dim(before, 0), R, D], `x is ${show(x.shape)}`);
  expectType(op, 'vectors', vectors, 'f32', [sizeOf(vectors.shape)]);
  expectType(op, 'matrices', matrices, 'f32', [sizeOf(matrices.shape)]);
  check(fitsRows(D), () => msg`rows of ${D} numbers, which do not fit a workgroup`, { area: op });
  for (const at of [attrs.biasAt, attrs.gammaAt, attrs.betaAt, attrs.gamma2At, attrs.beta2At])
    checkPlace(op, 'vectors', vectors, at, D);
  return [R, D];
}

/** Throws unless `count` numbers from a multiple of 64 on are in a tensor. */
function checkPlace(
  op: string,
  name: string,
  tensor: TensorType,
  at: number | undefined,
  count: number,
): void {
  const fits = at === undefined || (at % 64 === 0 && at >= 0 && at + count <= sizeOf(tensor.shape));
  check(fits, () => msg`${count} numbers at ${at} are not in ${name} ${show(tensor.shape)}`, { area: op });
}

/** Types of the outputs: the shares of `count` workgroups, and what is kept of the beginning. */
function types(attrs: RowInputAttrs, count: number, [R, D]: [number, number]) {
  const kept = attrs.keeps ? tensorType('f32', [R, 1, D]) : undefined;
  return { shares: tensorType('f32', [count, R, D]), kept };
}

/** Sizes and grid of an attention; `weights`: FLOPs of a number of a head and of x in its products. */
function attentionSizes(
  { x }: RowInputs<Value>,
  kv: Value,
  { heads, headWidth }: RowAttentionAttrs,
  weights: number,
): [RowSizes, Launch['grid']] {
  const [R, D, keys] = [dim(x, 0), dim(x, -1), dim(kv, 1)];
  const flops = R * heads * headWidth * (weights * D + 4 * keys);
  return [{ D, keys, flops }, [heads, R, 1]];
}

/**
 * x [R,1,D], parts [P,R,D], cache [R,T,2HW] (a state, written), slots u32 [R,T], step; shares [H,R,D], of each head
 * in the output product, and kept [R,1,D]. See `cachedSelfAttentionOp` for the cache.
 */
export const rowSelfAttentionOp = defineOp({
  name: 'row_self_attention',
  inputs: ['x', 'parts?', 'vectors', 'matrices', 'cache', 'slots', 'step'],
  outputs: ['shares', 'kept?'],
  attrs: attrsOf<RowAttentionAttrs>(),
  shape({ cache, slots, step, ...inputs }, attrs) {
    const name = 'row_self_attention';
    const { heads, headWidth, inAt, outAt, ownAt } = attrs;
    const [R, D] = rowsOf(name, inputs, attrs);
    const HW = heads * headWidth;
    expectType(name, 'cache', cache, 'f32', [R, dim(cache, 1), 2 * HW], `${heads} heads of ${headWidth}`);
    expectType(name, 'slots', slots, 'u32', [R, dim(cache, 1)], `cache is ${show(cache.shape)}`);
    expectStep(name, step);
    checkPlace(name, 'matrices', inputs.matrices, inAt, 3 * HW * D);
    checkPlace(name, 'matrices', inputs.matrices, outAt, HW * D);
    checkPlace(name, 'vectors', inputs.vectors, ownAt, 3 * HW);
    return types(attrs, heads, [R, D]);
  },
  mutates: ['cache'],
  variants: fusedOrParts,
  naive: parts,
  sample({ slots }, { beams }) {
    const T = dim(slots, 1);
    return { slots: (i) => (Math.floor(i / T) % beams) * T + (i % T) };
  },
  modelFlops: ({ x, cache }, _outputs, { heads, headWidth }) =>
    dim(x, 0) * heads * headWidth * (8 * dim(x, -1) + 4 * dim(cache, 1)),
  launch({ cache, slots, step, ...inputs }, { shares, kept }, attrs, context) {
    if (!context.variant.fused)
      return new RowParts(context, inputs, attrs, { shares, kept }).attention(attrs, { cache, slots, step });
    const bind = { cache, slots, step, kept, out: shares };
    return [rowLaunch('row_self_attention', inputs, bind, attrs, ...attentionSizes(inputs, cache, attrs, 8))];
  },
});

/** x [R,1,D], parts [P,R,D], kv [B,S,2HW], lens u32 [B]; shares [H,R,D] and kept [R,1,D]. */
export const rowCrossAttentionOp = defineOp({
  name: 'row_cross_attention',
  inputs: ['x', 'parts?', 'vectors', 'matrices', 'kv', 'lens'],
  outputs: ['shares', 'kept?'],
  attrs: attrsOf<RowAttentionAttrs>(),
  shape({ kv, lens, ...inputs }, attrs) {
    const name = 'row_cross_attention';
    const { heads, headWidth, beams, inAt, outAt, ownAt } = attrs;
    const [R, D] = rowsOf(name, inputs, attrs);
    const [HW, B] = [heads * headWidth, R / beams];
    expectType(name, 'kv', kv, 'f32', [B, dim(kv, 1), 2 * HW], `${R} rows, ${beams} beams`);
    expectType(name, 'lens', lens, 'u32', [B], 'one for each sentence');
    checkPlace(name, 'matrices', inputs.matrices, inAt, HW * D);
    checkPlace(name, 'matrices', inputs.matrices, outAt, HW * D);
    checkPlace(name, 'vectors', inputs.vectors, ownAt, HW);
    return types(attrs, heads, [R, D]);
  },
  variants: fusedOrParts,
  naive: parts,
  modelFlops: ({ x, kv }, _outputs, { heads, headWidth }) =>
    dim(x, 0) * heads * headWidth * (4 * dim(x, -1) + 4 * dim(kv, 1)),
  launch({ kv, lens, ...inputs }, { shares, kept }, attrs, context) {
    if (!context.variant.fused)
      return new RowParts(context, inputs, attrs, { shares, kept }).attention(attrs, { kv, lens });
    const bind = { source: kv, slots: lens, kept, out: shares };
    return [rowLaunch('row_cross_attention', inputs, bind, attrs, ...attentionSizes(inputs, kv, attrs, 4))];
  },
});

/** x [R,1,D], parts [P,R,D]; shares [P',R,D], of each chunk of hidden units, and kept [R,1,D]. */
export const rowFeedForwardOp = defineOp({
  name: 'row_feed_forward',
  inputs: ['x', 'parts?', 'vectors', 'matrices'],
  outputs: ['shares', 'kept?'],
  attrs: attrsOf<RowFeedForwardAttrs>(),
  shape(inputs, attrs) {
    const name = 'row_feed_forward';
    const { hidden, inAt, outAt, ownAt } = attrs;
    const [R, D] = rowsOf(name, inputs, attrs);
    check(hidden % 4 === 0, () => msg`${hidden} hidden units, must be a multiple of 4`, { area: name });
    checkPlace(name, 'matrices', inputs.matrices, inAt, hidden * D);
    checkPlace(name, 'matrices', inputs.matrices, outAt, hidden * D);
    checkPlace(name, 'vectors', inputs.vectors, ownAt, hidden);
    return types(attrs, Math.ceil(hidden / rowChunk.hidden), [R, D]);
  },
  variants: fusedOrParts,
  naive: parts,
  modelFlops: ({ x }, _outputs, { hidden }) => 4 * sizeOf(x.shape) * hidden,
  launch(inputs, { shares, kept }, attrs, context) {
    if (!context.variant.fused)
      return new RowParts(context, inputs, attrs, { shares, kept }).feedForward(attrs);
    const D = dim(inputs.x, -1);
    const sizes = {
      D,
      outs: attrs.hidden,
      chunk: rowChunk.hidden,
      flops: 4 * sizeOf(inputs.x.shape) * attrs.hidden,
    };
    const grid = [dim(shares, 0), dim(inputs.x, 0), 1] as const;
    return [rowLaunch('row_feed_forward', inputs, { kept, out: shares }, attrs, sizes, grid)];
  },
});

/** x [R,1,D], parts [P,R,D], matrices [V·D], the output table; logits [R,1,width]. */
export const rowLogitsOp = defineOp({
  name: 'row_logits',
  inputs: ['x', 'parts?', 'vectors', 'matrices'],
  outputs: ['logits'],
  attrs: attrsOf<RowLogitsAttrs>(),
  shape(inputs, attrs) {
    const { vocab, width, ownAt } = attrs;
    const [R, D] = rowsOf('row_logits', inputs, attrs);
    check(width === wholeVectors(vocab), () => msg`rows of ${width} logits for ${vocab} tokens`, {
      area: 'row_logits',
    });
    checkPlace('row_logits', 'matrices', inputs.matrices, 0, vocab * D);
    checkPlace('row_logits', 'vectors', inputs.vectors, ownAt, vocab);
    return { logits: tensorType('f32', [R, 1, width]) };
  },
  variants: fusedOrParts,
  naive: parts,
  modelFlops: ({ x }, _outputs, { vocab }) => 2 * sizeOf(x.shape) * vocab,
  launch(inputs, { logits }, attrs, context) {
    if (!context.variant.fused) return new RowParts(context, inputs, attrs, {}).logits(attrs, logits);
    const { vocab, width } = attrs;
    const [D, flops] = [dim(inputs.x, -1), 2 * sizeOf(inputs.x.shape) * vocab];
    const sizes = { D, outs: width, vocab, chunk: rowChunk.logits, flops };
    const grid = [Math.ceil(width / rowChunk.logits), dim(inputs.x, 0), 1] as const;
    return [rowLaunch('row_logits', inputs, { kept: undefined, out: logits }, attrs, sizes, grid)];
  },
});
