// The dispatches of row sublayers (shaders/rows/row-sublayers.wgsl), and what all of them read.

import attentionWgsl from '../../../../shaders/rows/row-attention.wgsl?raw';
import inputsWgsl from '../../../../shaders/rows/row-inputs.wgsl?raw';
import sublayersWgsl from '../../../../shaders/rows/row-sublayers.wgsl?raw';
import { dim } from '../../../core/tensor.ts';
import type { CachedAttentionAttrs } from '../decoding/cached-attention.ts';
import { type Activation, activationKinds } from '../elementwise/elementwise-ops.ts';
import type { Launch, Value } from '../op.ts';

/**
 * What a sublayer does before its first product. Fields that end in `At` are offsets of a vector of D numbers in
 * `vectors`, in numbers; undefined if there is none.
 */
export type RowInputAttrs = {
  /** The bias of the sublayer before. */
  readonly biasAt?: number;
  /** The norms, one after the other; RMSNorm has no beta. */
  readonly gammaAt?: number;
  readonly betaAt?: number;
  readonly eps?: number;
  readonly gamma2At?: number;
  readonly beta2At?: number;
  readonly eps2?: number;
  /** What the op keeps for a later sublayer: the sum before the norm, or its result. */
  readonly keeps?: 'sum' | 'norm';
  /** The bias of the first product. */
  readonly ownAt?: number;
};

/** Inputs of each op; `parts` are the shares of the sublayer before. */
export interface RowInputs<T> {
  readonly x: T;
  readonly parts?: T;
  readonly vectors: T;
  readonly matrices: T;
}

/** Numbers of the first operand of an output product that a workgroup computes: hidden units, logits. */
export const rowChunk = { hidden: 32, logits: 64 } as const;

/** The WGSL of a kernel in shaders/rows/ and of the files there that it includes. */
export const rowSource = (...files: readonly string[]): string =>
  files
    .join('\n')
    .split('\n')
    .filter((line) => !line.startsWith('// include rows/'))
    .join('\n');

const source = rowSource(sublayersWgsl, inputsWgsl, attentionWgsl);

/** Sizes of a dispatch; see `Params` of the shader. */
export interface RowSizes {
  readonly D: number;
  readonly keys?: number;
  readonly outs?: number;
  readonly vocab?: number;
  readonly chunk?: number;
  readonly flops: number;
}

/** Offsets of the two matrices in `matrices`, in numbers, and what acts between them. */
export interface RowMatrices {
  readonly inAt?: number;
  readonly outAt?: number;
  readonly activation?: Activation;
}

/** A dispatch of row-sublayers.wgsl. */
export function rowLaunch(
  entry: string,
  { x, parts: before, vectors, matrices }: RowInputs<Value>,
  bind: Launch['bind'],
  attrs: RowInputAttrs & Partial<CachedAttentionAttrs> & RowMatrices,
  sizes: RowSizes,
  grid: Launch['grid'],
): Launch {
  const { heads = 1, headWidth = 4, beams = 1, scale = 1 / Math.sqrt(headWidth) } = attrs;
  const { D, keys = 0, outs = 0, vocab = 0, chunk = 32, flops } = sizes;
  const vector = (at = 0) => at / 4;
  const flags =
    (attrs.biasAt === undefined ? 0 : 1) +
    (attrs.ownAt === undefined ? 0 : 2) +
    (attrs.gammaAt !== undefined && attrs.betaAt === undefined ? 4 : 0) +
    (attrs.keeps === 'sum' ? 8 : 0) +
    (bind.kept ? 16 : 0);
  return {
    shader: { name: 'row-sublayers', source },
    entry,
    constants: {
      D4: D / 4,
      NORMS: attrs.gammaAt === undefined ? 0 : attrs.gamma2At === undefined ? 1 : 2,
      CHUNK: chunk,
      WIDTH: headWidth,
      INNER: Math.max(chunk, headWidth),
    },
    params: {
      rows: dim(x, 0),
      parts: before ? dim(before, 0) : 0,
      cols: D,
      heads,
      beams,
      keys,
      outs,
      vocab,
      bias_at: vector(attrs.biasAt),
      gamma_at: vector(attrs.gammaAt),
      beta_at: vector(attrs.betaAt),
      gamma2_at: vector(attrs.gamma2At),
      beta2_at: vector(attrs.beta2At),
      own_at: vector(attrs.ownAt),
      in_at: vector(attrs.inAt),
      out_at: vector(attrs.outAt),
      flags,
      scale,
      activation: activationKinds[attrs.activation ?? 'none'],
      eps: attrs.eps ?? 0,
      eps2: attrs.eps2 ?? 0,
    },
    bind: { x, parts: before, vectors, matrices, ...bind },
    grid,
    flops,
  };
}
