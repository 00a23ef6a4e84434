// Reverse-mode differentiation: walks the nodes backwards from a loss; each op adds its gradient as ordinary
// nodes.

import { checkTypes } from '../../core/errors.ts';
import { add } from '../ops/elementwise/elementwise-ops.ts';
import { named } from '../ops/named-tensors.ts';
import type { Builder, Node, SomeByName, Value } from '../ops/op.ts';
import { aligned, inputsOf, outputsOf } from '../ops/op-nodes.ts';
import { checkGraph, type Graph } from './graph.ts';
import { checkTensor } from './node-checks.ts';
import { gradientOf } from './op-gradients.ts';
import { recompute, type SegmentOf } from './recompute.ts';

/**
 * Gradients of a loss with respect to each of `wrt`, added to the graph; undefined if the loss does not
 * depend on it. The op of `loss` is the root: its gradient is called without gradients of its outputs.
 * `segmentOf` turns on gradient checkpointing: nodes of a segment that it names are recomputed before the
 * gradients of their segment instead of stored. `others`: further losses, computed before `loss` and added to it.
 *
 * @example
 * const { nll } = crossEntropy(graph, logits, targets, step);
 * const [dw] = gradients(graph, nll, [w]);
 */
export function gradients(
  graph: Graph,
  loss: Value,
  wrt: readonly Value[],
  segmentOf: SegmentOf = () => undefined,
  others: readonly Value[] = [],
): (Value | undefined)[] {
  checkGraph('gradients', graph);
  checkTypes('gradients', 'a list', { wrt, others });
  for (const [name, tensors] of Object.entries({ loss: [loss], wrt, others }))
    for (const value of tensors) checkTensor('gradients', name, value);
  checkTypes('gradients', 'a function', { segmentOf });
  const needed = new Set<Value>(wrt);
  for (const node of graph.nodes)
    if (node.inputs.some((v) => needed.has(v))) for (const v of node.outputs) needed.add(v);

  const builder: Builder = {
    apply: (op, inputs, ...attrs) => graph.apply(op, inputs, ...attrs),
    needs: (v) => needed.has(v),
  };
  const total = new Map<Value, Value>();
  const roots = new Set([loss, ...others].map(({ node }) => node));
  const forward = graph.nodes.slice(0, graph.nodes.indexOf(loss.node as Node) + 1);
  const recomputed = recompute(graph, forward, segmentOf, (v, copy) => {
    if (needed.has(v)) needed.add(copy);
  });
  for (const node of forward.toReversed()) {
    if (!node.outputs.some((v) => needed.has(v))) continue;
    if (!roots.has(node) && !node.outputs.some((v) => total.has(v))) continue;
    const { op, attrs } = node;
    const gradient = gradientOf(op);
    if (!gradient)
      throw new Error(`${op.name}: has no gradient, but one is needed in ${node.scope || 'the graph'}`);
    const source = recomputed.copyOf(node);
    graph.at(node, () => {
      const dOutputs = gradientsByName(node, total);
      const byName = gradient(builder, inputsOf(source), outputsOf(source), dOutputs, attrs);
      const dInputs = aligned(node.inputNames, byName);
      for (const [i, v] of node.inputs.entries()) {
        const d = dInputs[i];
        if (!d || !needed.has(v)) continue;
        const sum = total.get(v);
        total.set(v, sum ? add(builder, sum, d) : d);
      }
    });
  }
  recomputed.prune();
  return wrt.map((v) => total.get(v));
}

/** The gradients of the outputs of a node by name, as far as there are any. */
const gradientsByName = (node: Node, total: ReadonlyMap<Value, Value>): SomeByName<string> =>
  named(
    node.op.outputs,
    node.outputNames,
    node.outputs.map((v) => total.get(v)),
  );
