// Sublayers in place of ordinary self-attention: the SSRU, and self-attention whose keys and values are not normalized.

import { joinColumns } from '../engine/ops/elementwise/join-columns.ts';
import type { Value } from '../engine/ops/op.ts';
import { ssru } from '../engine/ops/recurrence/ssru.ts';
import { ssruStep } from '../engine/ops/recurrence/ssru-step.ts';
import type { Scope } from './scope.ts';

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
