// Watching a graph for numbers that are not finite: after each node its results are looked at, and a run says where the first one was.

import { sizeOf } from '../core/tensor.ts';
import type { Node, Value } from '../ops/op.ts';
import { canOverflow, checkFiniteOp, firstBad } from '../ops/optimizer/check-finite.ts';
import type { Graph } from './graph.ts';

/** Where a number that is not finite was first seen. */
export interface NonFinite {
  /** The node that made it; undefined: it was there before the run. */
  readonly node?: Node;
  readonly value: Value;
  /** Index in the tensor. */
  readonly element: number;
}

/** Reads what a run of a watched graph found from its output `finite`. */
export type Watch = (flags: ArrayLike<number>) => NonFinite | undefined;

/** Name of the output that a watched graph has more. */
export const watchOutput = 'finite';

/**
 * Adds a check of each floating-point result after its node, of states after nodes that change them, and, before the first node, of states
 * that hold what an earlier run left. `forgotten`: names of states of which a run may take nothing over, so that what was in them before it
 * says nothing.
 */
export function watch(graph: Graph, forgotten: readonly string[] = []): Watch {
  const placed = new Set(graph.nodes.flatMap((node) => node.outputs.map((v) => v.at?.bank)));
  const bankOf = (v: Value): Value => v.at?.bank ?? v;
  const read = new Set(graph.nodes.flatMap((node) => node.inputs.map(bankOf)));
  const before = [...graph.states].flatMap(([name, v]) =>
    canOverflow(v.dtype) && read.has(v) && !placed.has(v) && !forgotten.includes(name) ? [v] : [],
  );
  const madeBy = (node: Node): Value[] =>
    [...node.outputs, ...(node.op.mutates ?? []).map((i) => node.inputs[i] as Value)].filter((v) =>
      canOverflow(v.dtype),
    );

  const nodes = [...graph.nodes];
  const seen: Omit<NonFinite, 'element'>[] = [
    ...before.map((value) => ({ value })),
    ...nodes.flatMap((node) => madeBy(node).map((value) => ({ node, value }))),
  ];
  const flags = graph.state(`${watchOutput}.${seen.length}`, 'u32', [seen.length]);
  let slot = 0;
  const look = (value: Value) => graph.apply(checkFiniteOp, [value, flags], { slot, first: slot++ === 0 });
  graph.nodes.length = 0;
  for (const value of before) look(value);
  for (const node of nodes) {
    graph.nodes.push(node);
    for (const value of madeBy(node)) look(value);
  }
  graph.output(watchOutput, flags);
  const sizes = seen.map(({ value }) => sizeOf(value.shape));
  return (found) => {
    const bad = firstBad(found, sizes);
    return bad && { ...(seen[bad.slot] as Omit<NonFinite, 'element'>), element: bad.element };
  };
}
