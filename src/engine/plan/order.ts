// The order of a plan's nodes: that of the graph, or one with a lower peak of memory. Nodes that allocate
// more than they free sink to just before their first user; nodes that free more rise to just after their
// last input.

import { sizeOf } from '../../core/tensor.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node, Value } from '../ops/op.ts';
import { type Lifetimes, lifetimes, maxAlive, slotted } from './lifetimes.ts';

/** Nodes in the order in which they run, and the outputs that are read after them. */
export type Order = Pick<Graph, 'nodes' | 'outputs'>;

/** Maximum number of rounds; they stop when the peak no longer falls. */
const maxRounds = 8;

/** Returns the order with the lowest peak found; the order of the graph if no other is lower. */
export function ordered({ nodes, outputs }: Order): Order {
  const needs = dependencies(nodes);
  let best: Order = { nodes, outputs };
  let alive = lifetimes(best);
  for (let round = 0; round < maxRounds; round++) {
    const late = { nodes: sink(best.nodes, growth(alive, nodes.length), needs), outputs };
    const moved = { nodes: hoist(late.nodes, growth(lifetimes(late), nodes.length), needs), outputs };
    const after = lifetimes(moved);
    if (maxAlive(slotted(after), nodes.length) >= maxAlive(slotted(alive), nodes.length)) break;
    best = moved;
    alive = after;
  }
  return best;
}

type Needs = ReadonlyMap<Node, ReadonlySet<Node>>;

/**
 * Returns for each node the nodes that must run before it: those that compute its inputs, and earlier ones
 * that access the same range of a buffer if one of the two writes it, such as logits that are changed in place.
 */
function dependencies(nodes: readonly Node[]): Needs {
  const needs = new Map<Node, Set<Node>>();
  const accesses = new Map<Value, { node: Node; from: number; to: number; writes: boolean }[]>();
  for (const node of nodes) {
    const before = new Set<Node>();
    const access = (v: Value, writes: boolean) => {
      const buffer = v.at?.buffer ?? v;
      const from = v.at?.offset ?? 0;
      const to = from + sizeOf(v.shape);
      const all = accesses.get(buffer) ?? [];
      for (const o of all) if ((writes || o.writes) && o.from < to && from < o.to) before.add(o.node);
      accesses.set(buffer, [...all, { node, from, to, writes }]);
    };
    for (const [i, v] of node.inputs.entries()) {
      if (v.node) before.add(v.node);
      access(v, node.op.mutates?.includes(node.inputNames[i] ?? '') ?? false);
    }
    for (const v of node.outputs) access(v, true);
    before.delete(node);
    needs.set(node, before);
  }
  return needs;
}

/** Returns for each node the bytes in use after it minus those before it. */
function growth(alive: Lifetimes, length: number): number[] {
  const change = new Array<number>(length + 1).fill(0);
  for (const { start, end, bytes } of slotted(alive)) {
    change[start] = (change[start] as number) + bytes;
    change[end] = (change[end] as number) - bytes;
  }
  return change;
}

/** Moves nodes that allocate more than they free to just before their first user. */
function sink(nodes: readonly Node[], grows: readonly number[], needs: Needs): Node[] {
  const out: Node[] = [];
  for (const [i, node] of [...nodes.entries()].reverse()) {
    const first = (grows[i] as number) > 0 ? out.findIndex((n) => needs.get(n)?.has(node)) : 0;
    out.splice(Math.max(0, first), 0, node);
  }
  return out;
}

/** Moves nodes that free more than they allocate to just after the last node that they need. */
function hoist(nodes: readonly Node[], grows: readonly number[], needs: Needs): Node[] {
  const out: Node[] = [];
  for (const [i, node] of nodes.entries()) {
    const last = (grows[i] as number) < 0 ? out.findLastIndex((n) => needs.get(node)?.has(n)) : -1;
    out.splice(last < 0 ? out.length : last + 1, 0, node);
  }
  return out;
}
