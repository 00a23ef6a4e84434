// Gradient checkpointing (Chen et al., 2016, "Training Deep Nets with Sublinear Memory Cost"): segments of
// the forward pass are recomputed just before their gradients, so their activations need not be stored. Less
// memory, more compute.

import type { Node, Value } from '../ops/op.ts';
import type { Graph } from './graph.ts';

/** Names the segment of a node; the results of nodes without one are stored. */
export type SegmentOf = (node: Node) => string | undefined;

/** The layer of a transformer that a node is in, by its scope: `decoder.layers.1`. */
export const layerOf: SegmentOf = (node) => /^(encoder|decoder)\.layers\.\d+/.exec(node.scope)?.[0];

/**
 * The first half of a feed-forward block that a node is in: `decoder.layers.1.linear1`. Its results are the
 * widest of a layer, and one matrix product makes them again (Korthikanti et al., 2022, "Reducing Activation
 * Recomputation in Large Transformer Models").
 */
export const feedForwardOf: SegmentOf = (node) =>
  /^(encoder|decoder)\.layers\.\d+\.linear1\b/.exec(node.scope)?.[0];

/** Last part of the scope of a recomputed node. */
const again = 'again';

/** Whether a node is a copy that recomputes a forward node. */
export const isRecomputed = ({ scope }: Node): boolean => scope.endsWith(`.${again}`);

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
      const copy = graph.scope(`${node.scope}.${again}`, () => graph.copy(node, inputs));
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
