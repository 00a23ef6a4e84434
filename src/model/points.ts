// Named points of a transformer, where an inspection reads a value or puts another one in its place. Training and
// decoding have no points: their graphs are built as if this file did not exist.

import type { AttentionAttrs } from '../engine/ops/attention/attention-layout.ts';
import type { Value } from '../engine/ops/op.ts';

/**
 * A point of a stack or of a layer. `embedding`: what the first layer reads; `heads`: what the heads of an attention
 * return, before the output projection; `sublayer`: what a sublayer adds to the residual stream; `layer`: the residual
 * stream after a layer; `output`: what the stack returns.
 */
export type Point = 'embedding' | 'heads' | 'sublayer' | 'layer' | 'output';

/** What an attention reads: of self-attention q and kv are one qkv [B,T,3·H·W]. */
export interface AttentionInputs {
  readonly q: Value;
  readonly kv: Value;
  readonly lens: Value;
  readonly bias?: Value;
}

/** What an inspection does at the points of a transformer that is being built. */
export interface Points {
  /** The value that the model goes on with; `input`: what a layer reads. */
  at(point: Point, value: Value, input?: Value): Value;
  /** The heads of an attention, [B,Tq,H·W]; `fused` computes them by one op. */
  heads(inputs: AttentionInputs, attrs: AttentionAttrs, fused: () => Value): Value;
}
