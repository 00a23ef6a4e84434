// Reverse-mode differentiation: walks the nodes backwards from a loss and lets each op add its gradient as ordinary nodes.

import { add } from '../ops/elementwise/add.ts';
import type { Builder, Node, Value } from '../ops/op.ts';
import type { Graph } from './graph.ts';
import { type PartOf, recompute } from './recompute.ts';

/**
 * Gradients of the loss made by the node of `loss` with respect to each of `wrt`, added to the graph; undefined where the loss
 * does not depend on it. The loss's op knows that it is the root: its `grad` is called with undefined output gradients. Nodes that
 * `partOf` names a part for are computed again before the gradients of their part, and what is inside the part is not kept.
 */
export function gradients(
  graph: Graph,
  loss: Value,
  wrt: readonly Value[],
  partOf: PartOf = () => undefined,
): (Value | undefined)[] {
  const needed = new Set<Value>(wrt);
  for (const node of graph.nodes)
    if (node.inputs.some((v) => needed.has(v))) for (const v of node.outputs) needed.add(v);

  const builder: Builder = {
    apply: (op, inputs, attrs) => graph.apply(op, inputs, attrs),
    needs: (v) => needed.has(v),
  };
  const total = new Map<Value, Value>();
  const forward = graph.nodes.slice(0, graph.nodes.indexOf(loss.node as Node) + 1);
  const again = recompute(graph, forward, partOf, (v, copy) => {
    if (needed.has(v)) needed.add(copy);
  });
  for (const node of forward.toReversed()) {
    if (!node.outputs.some((v) => needed.has(v))) continue;
    const dOutputs = node.outputs.map((v) => total.get(v));
    if (node !== loss.node && dOutputs.every((d) => d === undefined)) continue;
    if (!node.op.grad)
      throw new Error(`${node.op.name}: has no gradient, but one is needed in ${node.scope || 'the graph'}`);
    const standing = again.of(node);
    graph.scope(`${node.scope}`, () => {
      const dInputs = node.op.grad?.(builder, standing, dOutputs) ?? [];
      node.inputs.forEach((v, i) => {
        const d = dInputs[i];
        if (!d || !needed.has(v)) return;
        const sum = total.get(v);
        total.set(v, sum ? add(builder, sum, d) : d);
      });
    });
  }
  again.prune();
  return wrt.map((v) => total.get(v));
}
