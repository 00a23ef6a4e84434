// Quantization-aware training: nodes of a graph read copies of matrices that are rounded to 8 bits. The gradients stay
// those of the weights, since the graph is differentiated before.

import type { Shape } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import { roundWeightsOp } from '../ops/elementwise/round-weights.ts';
import type { Node, Value } from '../ops/op.ts';
import type { Graph } from './graph.ts';

/** Name of the state of rounded weights. */
export const roundedWeightsState = 'weights.rounded';

/** A matrix in a buffer of weights, with the number of equal parts that have a scale each. */
export interface RoundedMatrix {
  readonly name: string;
  readonly offset: number;
  readonly shape: Shape;
  readonly parts: number;
}

/** Makes the nodes that read these matrices of the buffer `weights` read rounded copies; each run first rounds them. */
export function readRoundedWeights(graph: Graph, weights: Value, matrices: readonly RoundedMatrix[]): void {
  const copies = graph.state(roundedWeightsState, 'f32', weights.shape);
  const slices = new Map<Value, Value>();
  const read = new Set<RoundedMatrix>();
  for (const node of graph.nodes)
    for (const [i, v] of node.inputs.entries()) {
      if (v?.at?.buffer !== weights) continue;
      const { offset } = v.at;
      const matrix = matrices.find((m) => offset >= m.offset && offset < m.offset + sizeOf(m.shape));
      if (!matrix) continue;
      read.add(matrix);
      const copy = slices.get(v) ?? graph.slice(copies, v.name, offset, v.shape);
      slices.set(v, copy);
      node.inputs = node.inputs.with(i, copy);
    }
  const before = graph.nodes.length;
  graph.scope('weights', () => {
    for (const matrix of read) {
      const { name, offset, shape, parts } = matrix;
      const [own, copy] = [weights, copies].map((buffer) => graph.slice(buffer, name, offset, shape));
      graph.apply(roundWeightsOp, { weights: own as Value, copies: copy as Value }, { parts });
    }
  });
  const rounding: Node[] = graph.nodes.splice(before);
  graph.nodes.unshift(...rounding);
}
