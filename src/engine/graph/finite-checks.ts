// Checks the results of a graph for NaN and infinity after each node; a run reports the first one.

import { sizeOf } from '../../core/tensor.ts';
import type { Node, Value } from '../ops/op.ts';
import { mutatedBy } from '../ops/op-nodes.ts';
import { canOverflow, checkFiniteOp, firstBad } from '../ops/optimizer/check-finite.ts';
import type { Graph } from './graph.ts';

/** The first number that is not finite. */
export interface NonFinite {
  /** The node that computed it; undefined if it existed before the run. */
  readonly node?: Node;
  readonly value: Value;
  /** Index in the tensor. */
  readonly element: number;
}

/**
 * Finds the first number that is not finite in the output `finiteOutput` of a run; undefined if all are
 * finite.
 */
export type FiniteReader = (flags: ArrayLike<number>) => NonFinite | undefined;

/** Name of the output that the checks add to a graph. */
export const finiteOutput = 'finite';

/**
 * Adds a check of each floating-point result after its node, and of states after nodes that change them.
 * States that an earlier run may have changed are also checked before the first node. `overwritten`: names of
 * states that each run writes before it reads them; they are not checked before the first node.
 */
export function addFiniteChecks(graph: Graph, overwritten: readonly string[] = []): FiniteReader {
  const placed = new Set(graph.nodes.flatMap((node) => node.outputs.map((v) => v.at?.buffer)));
  const bufferOf = (v: Value): Value => v.at?.buffer ?? v;
  const read = new Set(graph.nodes.flatMap((node) => node.inputs.map(bufferOf)));
  const before = [...graph.states].flatMap(([name, v]) =>
    canOverflow(v.dtype) && read.has(v) && !placed.has(v) && !overwritten.includes(name) ? [v] : [],
  );
  const writtenBy = (node: Node): Value[] =>
    [...node.outputs, ...mutatedBy(node)].filter((v) => canOverflow(v.dtype));

  const nodes = [...graph.nodes];
  const checked: Omit<NonFinite, 'element'>[] = [
    ...before.map((value) => ({ value })),
    ...nodes.flatMap((node) => writtenBy(node).map((value) => ({ node, value }))),
  ];
  const flags = graph.state(`${finiteOutput}.${checked.length}`, 'u32', [checked.length]);
  let slot = 0;
  const addCheck = (x: Value) => graph.apply(checkFiniteOp, { x, flags }, { slot, first: slot++ === 0 });
  graph.nodes.length = 0;
  for (const value of before) addCheck(value);
  for (const node of nodes) {
    graph.nodes.push(node);
    for (const value of writtenBy(node)) addCheck(value);
  }
  graph.output(finiteOutput, flags);
  const sizes = checked.map(({ value }) => sizeOf(value.shape));
  return (found) => {
    const bad = firstBad(found, sizes);
    const where = bad && checked[bad.slot];
    return where && { ...where, element: bad.element };
  };
}
