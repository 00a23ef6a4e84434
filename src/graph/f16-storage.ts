// Mixed precision: which tensors of a graph lie in memory as f16. The graph is made, differentiated and fused in f32 first; then results
// that only pass between nodes which can read and write them narrower become f16, and products read f16 copies of their weights.
// Sums, statistics, losses, gradients of weights and the weights themselves stay f32.

import { bytesPer, type DType, sizeOf } from '../core/tensor.ts';
import { halfWeightsOp } from '../ops/elementwise/cast-weights.ts';
import type { Node, Value } from '../ops/op.ts';
import type { Graph } from './graph.ts';

/** Name of the state of f16 copies of weights. */
export const halfState = 'weights.f16';

const takesHalf = (node: Node, v: Value): boolean => {
  const { inputs = [] } = node.op.half?.(node) ?? {};
  return node.inputs.every((input, i) => input !== v || inputs.includes(i));
};
const makesHalf = (node: Node, output: number): boolean => node.op.half?.(node).outputs.includes(output) ?? false;

/** Puts results into f16 where they can be: not what lies in a state or is read back. */
export const halveResults = (graph: Graph): void =>
  halve(
    graph,
    graph.nodes.flatMap((node) => node.outputs.filter((v) => !v.at && !graph.isOutput(v))),
  );

/** Makes those of `values`, inputs or results, f16 which the node that makes them and all nodes that read them can have so. */
export function halve(graph: Graph, values: Iterable<Value>): void {
  const users = graph.users();
  for (const v of values) {
    const made = v.node?.outputs.indexOf(v) ?? -1;
    const can =
      v.dtype === 'f32' &&
      (!v.node || makesHalf(v.node, made)) &&
      (users.get(v) ?? []).every((user) => takesHalf(user, v));
    if (can && (v.node || users.has(v))) setType(v, 'f16');
  }
}

/** Applies the op of `node` to other values of the same types, f16 where its own are: ops themselves are stated in f32. */
export function applyAlike(graph: Graph, node: Node, inputs: readonly Value[]): Value[] {
  const narrow = inputs.filter((v) => v.dtype === 'f16' && takesHalf(node, node.inputs[inputs.indexOf(v)] as Value));
  for (const v of narrow) setType(v, 'f32');
  const outputs = graph.apply(node.op, inputs, node.attrs);
  for (const v of narrow) setType(v, 'f16');
  for (const [i, v] of outputs.entries()) setType(v, (node.outputs[i] as Value).dtype);
  return outputs;
}

const setType = (value: Value, dtype: DType): void => {
  (value as { dtype: DType }).dtype = dtype;
};

/** Lets nodes that can read f16 read copies of their parts of `weights`, which are made before the first node of each run. */
export function halveWeights(graph: Graph, weights: Value): void {
  const reads = graph.nodes.flatMap((node) =>
    node.inputs.flatMap((v, i) =>
      v.at?.bank === weights && takesHalf(node, v) && aligned(v.at.offset) ? [{ node, i, v, offset: v.at.offset }] : [],
    ),
  );
  if (reads.length === 0) return;
  const end = Math.max(...reads.map(({ offset, v }) => offset + sizeOf(v.shape)));
  const bank = graph.state(halfState, 'f16', [Math.ceil(end / 128) * 128]);
  const copies = new Map<number, Value>();
  for (const { node, i, v, offset } of reads) {
    const copy = copies.get(offset) ?? graph.part(bank, v.name, offset, v.shape);
    copies.set(offset, copy);
    (node.inputs as Value[])[i] = copy;
  }
  graph.scope('weights', () => graph.apply(halfWeightsOp, [weights, bank], {}));
  graph.nodes.unshift(graph.nodes.pop() as Node);
}

/** Whether a binding may start there. */
const aligned = (offset: number): boolean => (offset * bytesPer('f16')) % 256 === 0;
