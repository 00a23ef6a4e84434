// Recomputing parts of the forward pass just before their gradients (gradient checkpointing; Chen et al., 2016, "Training Deep Nets
// with Sublinear Memory Cost"): what lies inside a part need not be kept, at the cost of computing it twice.

import type { Node, Value } from '../ops/op.ts';
import type { Graph } from './graph.ts';

/** Names the part that a node belongs to; undefined: it is kept as it is. */
export type PartOf = (node: Node) => string | undefined;

/** The layer that a node of a transformer lies in, by its scope: `decoder.layers.1`. */
export const layerOf: PartOf = (node) => /^(encoder|decoder)\.layers\.\d+/.exec(node.scope)?.[0];

/** Copies of forward nodes, made when they are first asked for. */
export interface Recompute {
  /**
   * The node that stands for `node` in the backward pass: its copy, added to the graph with its whole part, or itself where it has no
   * part. Copies have the attributes of the originals, so dropout draws the same mask.
   */
  of(node: Node): Node;
  /** Removes the copies that nobody reads. */
  prune(): void;
}

/** Recomputes the parts of `forward`, nodes of `graph` in order. `onCopy` hears of each value and its copy. */
export function recompute(
  graph: Graph,
  forward: readonly Node[],
  partOf: PartOf,
  onCopy: (value: Value, copy: Value) => void,
): Recompute {
  const copies = new Map<Node, Node>();
  const copyPart = (part: string): void => {
    const values = new Map<Value, Value>();
    for (const node of forward) {
      if (partOf(node) !== part) continue;
      const inputs = node.inputs.map((v) => values.get(v) ?? v);
      const outputs = graph.scope(`${node.scope}.again`, () => graph.apply(node.op, inputs, node.attrs));
      copies.set(node, graph.nodes[graph.nodes.length - 1] as Node);
      node.outputs.forEach((v, i) => {
        const copy = outputs[i] as Value;
        values.set(v, copy);
        onCopy(v, copy);
      });
    }
  };
  return {
    of(node) {
      const part = partOf(node);
      if (part === undefined) return node;
      if (!copies.has(node)) copyPart(part);
      return copies.get(node) as Node;
    },
    prune() {
      const users = graph.users();
      for (const copy of [...copies.values()].reverse()) {
        if (copy.outputs.some((v) => users.get(v)?.length)) continue;
        graph.nodes.splice(graph.nodes.indexOf(copy), 1);
        for (const v of copy.inputs)
          users.set(
            v,
            (users.get(v) ?? []).filter((user) => user !== copy),
          );
      }
    },
  };
}
