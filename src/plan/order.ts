// The order of a plan's nodes: that in which the graph was built, or one that keeps less memory alive at its peak. Nodes that make
// more than they free move to just before they are needed, nodes that free more to just after what they need.

import { sizeOf } from '../core/tensor.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node, Value } from '../ops/op.ts';
import { type Lifetimes, lifetimes, maxAlive, slotted } from './lifetimes.ts';

/** Nodes in the order in which they run, and what is read back after them. */
export type Order = Pick<Graph, 'nodes' | 'outputs'>;

/** Most rounds of moves; they end where the peak no longer falls. */
const mostRounds = 8;

/** The order of a graph's nodes with the lowest peak that was found: its own where no other is lower. */
export function ordered({ nodes, outputs }: Order): Order {
  const needs = dependencies(nodes);
  let best: Order = { nodes, outputs };
  let alive = lifetimes(best);
  for (let round = 0; round < mostRounds; round++) {
    const late = { nodes: sunk(best.nodes, growth(alive, nodes.length), needs), outputs };
    const moved = { nodes: hoisted(late.nodes, growth(lifetimes(late), nodes.length), needs), outputs };
    const after = lifetimes(moved);
    if (maxAlive(slotted(after), nodes.length) >= maxAlive(slotted(alive), nodes.length)) break;
    best = moved;
    alive = after;
  }
  return best;
}

type Needs = ReadonlyMap<Node, ReadonlySet<Node>>;

/** For each node those that must run before it: they make its inputs, or meet it in a part of a state which either writes. */
function dependencies(nodes: readonly Node[]): Needs {
  const needs = new Map<Node, Set<Node>>();
  const met = new Map<Value, { node: Node; from: number; to: number; writes: boolean }[]>();
  for (const node of nodes) {
    const before = new Set<Node>();
    const meet = (v: Value, writes: boolean) => {
      const buffer = v.at?.buffer ?? v;
      if (buffer.kind !== 'state') return;
      const from = v.at?.offset ?? 0;
      const to = from + sizeOf(v.shape);
      const all = met.get(buffer) ?? [];
      for (const o of all) if ((writes || o.writes) && o.from < to && from < o.to) before.add(o.node);
      met.set(buffer, [...all, { node, from, to, writes }]);
    };
    for (const [i, v] of node.inputs.entries()) {
      if (v.node) before.add(v.node);
      meet(v, node.op.mutates?.includes(node.inputNames[i] ?? '') ?? false);
    }
    for (const v of node.outputs) meet(v, true);
    before.delete(node);
    needs.set(node, before);
  }
  return needs;
}

/** For each place in the order, bytes alive after its node less those before it. */
function growth(alive: Lifetimes, length: number): number[] {
  const change = new Array<number>(length + 1).fill(0);
  for (const { start, end, bytes } of slotted(alive)) {
    change[start] = (change[start] as number) + bytes;
    change[end] = (change[end] as number) - bytes;
  }
  return change;
}

/** Nodes that make more than they free, moved to just before the first that needs them. */
function sunk(nodes: readonly Node[], grows: readonly number[], needs: Needs): Node[] {
  const out: Node[] = [];
  for (const [i, node] of [...nodes.entries()].reverse()) {
    const first = (grows[i] as number) > 0 ? out.findIndex((n) => needs.get(n)?.has(node)) : 0;
    out.splice(Math.max(0, first), 0, node);
  }
  return out;
}

/** Nodes that free more than they make, moved to just after the last that they need. */
function hoisted(nodes: readonly Node[], grows: readonly number[], needs: Needs): Node[] {
  const out: Node[] = [];
  for (const [i, node] of nodes.entries()) {
    const last = (grows[i] as number) < 0 ? out.findLastIndex((n) => needs.get(node)?.has(n)) : -1;
    out.splice(last < 0 ? out.length : last + 1, 0, node);
  }
  return out;
}
