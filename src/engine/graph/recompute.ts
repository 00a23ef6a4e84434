// Gradient checkpointing (Chen et al., 2016, "Training Deep Nets with Sublinear Memory Cost"): segments of
// the forward pass are recomputed just before their gradients, so their activations need not be stored. Less
// memory, more compute.

import type { Node, Value } from '../ops/op.ts';
import type { Graph } from './graph.ts';

/** Names the segment of a node; the results of nodes without one are stored. */
export type SegmentOf = (node: Node) => string | undefined;

/**
 * Recomputes segments of `forward`, nodes of `graph` in order. `copyOf` returns the node that the backward
 * pass reads instead of a forward node: its copy, added to the graph with its whole segment when it is first
 * needed, or the node itself if it has no segment. Copies have the attributes of the originals, so dropout
 * draws the same mask. Calls `onCopy` with each value and its copy. `prune` removes the copies that have no
 * reader.
 */
export function recompute(
  graph: Graph,
  forward: readonly Node[],
  segmentOf: SegmentOf,
  onCopy: (value: Value, copy: Value) => void,
): { copyOf(node: Node): Node; prune(): void } {
  const copies = new Map<Node, Node>();
  const copySegment = (segment: string): void => {
    const values = new Map<Value, Value>();
    for (const node of forward) {
      if (segmentOf(node) !== segment) continue;
      const inputs = node.inputs.map((v) => values.get(v) ?? v);
      const copy = graph.at(node, () => graph.copy(node, inputs), true);
      copies.set(node, copy);
      for (const [i, output] of copy.outputs.entries()) {
        const v = node.outputs[i] as Value;
        values.set(v, output);
        onCopy(v, output);
      }
    }
  };
  return {
    copyOf(node) {
      const segment = segmentOf(node);
      if (segment === undefined) return node;
      if (!copies.has(node)) copySegment(segment);
      return copies.get(node) ?? node;
    },
    prune() {
      const read = new Set<Value>();
      const added = new Set(copies.values());
      for (const node of graph.nodes.toReversed()) {
        const unread = added.has(node) && !node.outputs.some((v) => read.has(v));
        if (unread) graph.nodes.splice(graph.nodes.indexOf(node), 1);
        else for (const v of node.inputs) read.add(v);
      }
    },
  };
}
