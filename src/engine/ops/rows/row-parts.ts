// The ops that a row sublayer consists of, one after the other, with their usual kernels: the variant `parts`, with
// which the fused kernels are compared.

import { dim } from '../../../core/tensor.ts';
import {
  type CachedAttentionAttrs,
  cachedCrossAttentionOp,
  cachedSelfAttentionOp,
} from '../decoding/cached-attention.ts';
import type { Activation } from '../elementwise/elementwise-ops.ts';
import { linearOp } from '../matmul/linear.ts';
import type { ByName } from '../named-tensors.ts';
import { layerNormOp, rmsNormOp } from '../norm/layer-norm.ts';
import type { Attrs, Launch, Op, Value } from '../op.ts';
import { viewOf } from '../work-division.ts';
import { applyPart, type PartsContext } from './apply-parts.ts';
import { type RowInputAttrs, type RowInputs, type RowMatrices, rowChunk, rowLaunch } from './row-launch.ts';

/** Where the results of a sublayer are stored. */
interface RowOutputs {
  readonly shares?: Value;
  readonly kept?: Value;
}

/** The dispatches of the parts of one sublayer. */
export class RowParts {
  readonly #context: PartsContext;
  readonly #inputs: RowInputs<Value>;
  readonly #attrs: RowInputAttrs & RowMatrices;
  readonly #outputs: RowOutputs;
  readonly #launches: Launch[] = [];

  constructor(
    context: PartsContext,
    inputs: RowInputs<Value>,
    attrs: RowInputAttrs & RowMatrices,
    outputs: RowOutputs,
  ) {
    this.#context = context;
    this.#inputs = inputs;
    this.#attrs = attrs;
    this.#outputs = outputs;
  }

  /** Self-attention with a cache, or cross-attention to the keys and values of the source. */
  attention(
    attrs: CachedAttentionAttrs,
    keys: { cache: Value; slots: Value; step: Value } | { kv: Value; lens: Value },
  ): Launch[] {
    const { heads, headWidth, beams, scale } = attrs;
    const width = heads * headWidth;
    const x = this.#begin();
    const own = { heads, headWidth, beams, scale };
    const { out } =
      'cache' in keys
        ? this.#apply(cachedSelfAttentionOp, { qkv: this.#product(x, 3 * width), ...keys }, own)
        : this.#apply(cachedCrossAttentionOp, { q: this.#product(x, width), ...keys }, own);
    return this.#end(out, headWidth);
  }

  /** Two linear layers and the activation between them. */
  feedForward({
    hidden,
    activation,
  }: {
    readonly hidden: number;
    readonly activation: Activation;
  }): Launch[] {
    return this.#end(this.#product(this.#begin(), hidden, { activation }), rowChunk.hidden);
  }

  /** The product with the output table. */
  logits({ vocab, width }: { readonly vocab: number; readonly width: number }, logits: Value): Launch[] {
    const y = this.#begin();
    this.#product(y, vocab, { activation: 'none', padded: width !== vocab }, logits);
    return this.#launches;
  }

  /** The input of the first product: the sum and its norms. */
  #begin(): Value {
    const { x, parts, vectors } = this.#inputs;
    const { biasAt, keeps, gammaAt, betaAt, eps = 0, gamma2At, beta2At, eps2 = 0 } = this.#attrs;
    const { kept } = this.#outputs;
    const D = dim(x, -1);
    let y = x;
    if (parts || biasAt !== undefined || keeps === 'sum') {
      y = (keeps === 'sum' ? kept : undefined) ?? this.#context.scratch('f32', x.shape);
      const grid = [Math.ceil((dim(x, 0) * D) / 256), 1, 1] as const;
      this.#launches.push(rowLaunch('row_sum', this.#inputs, { kept: y }, { biasAt }, { D, flops: 0 }, grid));
    }
    const norms = [
      { gamma: gammaAt, beta: betaAt, eps },
      { gamma: gamma2At, beta: beta2At, eps: eps2 },
    ].filter(({ gamma }) => gamma !== undefined);
    for (const [i, { gamma = 0, beta, eps }] of norms.entries()) {
      const to = i === norms.length - 1 && keeps === 'norm' ? kept : undefined;
      const input = { x: y, gamma: viewOf(vectors, gamma, [D]) };
      y =
        beta === undefined
          ? this.#apply(rmsNormOp, input, { eps }, { y: to }).y
          : this.#apply(layerNormOp, { ...input, beta: viewOf(vectors, beta, [D]) }, { eps }, { y: to }).y;
    }
    return y;
  }

  /** The first product, of `n` numbers. */
  #product(
    x: Value,
    n: number,
    attrs: Attrs & { activation: Activation } = { activation: 'none' },
    to?: Value,
  ) {
    const { vectors, matrices } = this.#inputs;
    const { inAt = 0, ownAt } = this.#attrs;
    const w = viewOf(matrices, inAt, [n, dim(x, -1)]);
    const b = ownAt === undefined ? undefined : viewOf(vectors, ownAt, [n]);
    return this.#apply(linearOp, { x, w, b }, attrs, { y: to }).y;
  }

  /** The output product of `v` in shares of `chunk` numbers. */
  #end(v: Value, chunk: number): Launch[] {
    const { matrices } = this.#inputs;
    const { outAt } = this.#attrs;
    const shares = this.#outputs.shares as Value;
    const [P, R, D] = [dim(shares, 0), dim(shares, 1), dim(shares, 2)];
    const sizes = { D, outs: dim(v, -1), chunk, flops: 2 * R * D * dim(v, -1) };
    const inputs = { x: v, vectors: this.#inputs.vectors, matrices };
    const grid = [Math.ceil((R * D) / 256), P, 1] as const;
    this.#launches.push(rowLaunch('row_partials', inputs, { out: shares }, { outAt }, sizes, grid));
    return this.#launches;
  }

  /** Adds the dispatches of an op with its default kernel. Results without a place get scratch memory. */
  #apply<I extends string, O extends string, A extends Attrs>(
    op: Op<I, O, A>,
    inputs: ByName<I, Value>,
    attrs: A,
    places?: { readonly [name: string]: Value | undefined },
  ): ByName<O, Value> {
    return applyPart(this.#context, this.#launches, op, inputs, attrs, places);
  }
}
