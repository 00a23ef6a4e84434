// What few models or programs have: a cache in f16, the SSRU, self-attention whose keys and values are not
// normalized, the relative positions and gated blocks of T5, and other sinusoids. Only programs with such a model
// load this file (load-sublayers.ts).

import { joinColumns } from '../engine/ops/elementwise/join-columns.ts';
import type { Value } from '../engine/ops/op.ts';
import { ssru } from '../engine/ops/recurrence/ssru.ts';
import { ssruStep } from '../engine/ops/recurrence/ssru-step.ts';
import type { Scope } from './open-transformer.ts';

export { relativePositionBias } from '../engine/ops/attention/relative-position-bias.ts';
export { packF16 } from '../engine/ops/decoding/pack-f16.ts';
export { takeColumns } from '../engine/ops/elementwise/columns.ts';
export { gatedActivation } from '../engine/ops/elementwise/gated-activation.ts';
export { fairseqSinusoids, marianSinusoids } from '../engine/ops/embedding/other-sinusoids.ts';
export { tokenPositions } from '../engine/ops/embedding/token-positions.ts';
export { ssruOp } from '../engine/ops/recurrence/ssru.ts';

/** z and the gate of an SSRU, x W and x Wf, in one product; then `scan` with the bias of the gate. */
const ssruBlock = (layer: Scope, x: Value, scan: (products: Value, bias: Value) => Value): Value =>
  layer.sublayer('ssru', (unit) => scan(unit.linear('in_proj', x), unit.weight('gate_bias')));

/** The SSRU of a decoder layer over a sequence: [B, T, D] -> [B, T, D]. */
export const ssruLayer = (layer: Scope, x: Value): Value =>
  ssruBlock(layer, x, (products, bias) => ssru(layer.graph, products, bias));

/** What an SSRU remembers in decoding: a state [R, 2, D], and the row that each row continues, i32 [R]. */
export interface SsruMemory {
  readonly state: Value;
  readonly parents: Value;
  readonly beams: number;
}

/** One step of the SSRU of a decoder layer: [R, 1, D] -> [R, 1, D]. */
export const ssruLayerStep = (layer: Scope, x: Value, { state, parents, beams }: SsruMemory): Value =>
  ssruBlock(layer, x, (products, bias) =>
    ssruStep(layer.graph, products, bias, parents, state, layer.model.step, { beams }),
  );

/** Queries of x, and keys and values of `input`, in the layout of one product: [B, T, D] -> [B, T, 3HW]. */
export const separateQueries = (attention: Scope, x: Value, input: Value): Value =>
  joinColumns(attention.graph, attention.linear('q_proj', x), attention.linear('kv_proj', input));
