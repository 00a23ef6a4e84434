// Mixed precision: which tensors of a graph are stored as f16. The graph is built, differentiated and fused
// in f32 first. Then results become f16 if the node that makes them and all nodes that read them support it,
// and matrix products read f16 copies of their weights. Sums, statistics, losses, gradients of weights and
// the weights themselves stay f32.

import { bytesPer, sizeOf } from '../../core/tensor.ts';
import { castWeightsOp } from '../ops/elementwise/cast-weights.ts';
import type { Node, Value } from '../ops/op.ts';
import { f16StorageOf } from '../ops/op-nodes.ts';
import type { Graph } from './graph.ts';

/** Name of the state of f16 copies of weights. */
export const f16WeightsState = 'weights.f16';

/** Whether a node supports `v` as f16 in each input and output in which it occurs. */
const supportsF16 = (node: Node, v: Value): boolean => {
  const supported = f16StorageOf(node);
  return (
    node.inputs.every((input, i) => input !== v || supported.includes(node.inputNames[i] ?? '')) &&
    node.outputs.every((output, i) => output !== v || supported.includes(node.outputNames[i] ?? ''))
  );
};

/**
 * Stores results that `may` accepts as f16 if all their nodes support it; not those in a state or read back.
 */
export function storeResultsAsF16(graph: Graph, may: (result: Value) => boolean = () => true): void {
  const results = graph.nodes.flatMap((node) => node.outputs);
  storeAsF16(
    graph,
    results.filter((v) => !v.at && !graph.isOutput(v) && may(v)),
  );
}

/** Stores each of `values` as f16 if the node that makes it and all nodes that read it support that. */
export function storeAsF16(graph: Graph, values: Iterable<Value>): void {
  const users = graph.users();
  for (const v of values) {
    const readers = users.get(v) ?? [];
    const nodes = v.node ? [v.node, ...readers] : readers;
    if (v.dtype === 'f32' && nodes.length > 0 && nodes.every((node) => supportsF16(node, v))) v.dtype = 'f16';
  }
}

/** Adds f16 copies of the slices of `weights` that nodes can read as f16; each run first casts them. */
export function storeWeightsAsF16(graph: Graph, weights: Value): void {
  const reads = graph.nodes.flatMap((node) =>
    node.inputs.flatMap((v, i) =>
      v.at?.buffer === weights && supportsF16(node, v) && alignedAsF16(v.at.offset)
        ? [{ node, i, v, offset: v.at.offset }]
        : [],
    ),
  );
  if (reads.length === 0) return;
  const end = Math.max(...reads.map(({ offset, v }) => offset + sizeOf(v.shape)));
  const copies = graph.state(f16WeightsState, 'f16', [Math.ceil(end / 128) * 128]);
  const slices = new Map<number, Value>();
  for (const { node, i, v, offset } of reads) {
    const copy = slices.get(offset) ?? graph.slice(copies, v.name, offset, v.shape);
    slices.set(offset, copy);
    node.inputs = node.inputs.with(i, copy);
  }
  graph.scope('weights', () => graph.apply(castWeightsOp, { weights, copies }));
  const cast = graph.nodes.pop();
  if (cast) graph.nodes.unshift(cast);
}

/** Whether a binding may start at this offset of an f16 buffer. */
const alignedAsF16 = (offset: number): boolean => (offset * bytesPer('f16')) % 256 === 0;
