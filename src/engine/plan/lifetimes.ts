// Lifetimes of results: which share memory in place, when each piece of memory is in use, and the slots that
// they take.

import { bytesOf } from '../../core/tensor.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node, Value } from '../ops/op.ts';

/** Memory of one value, or of several that share it in place. */
export interface Group {
  bytes: number;
  /** Indices of the first node that writes it and of the last node that uses it. */
  start: number;
  end: number;
  /** Range of a state in which the values are placed; then they need no slot. */
  at?: Value['at'];
}

/** Groups of all results. `shared` has `node.id:input:output`, by name, for each pair that shares memory. */
export interface Lifetimes {
  readonly groups: ReadonlyMap<Value, Group>;
  readonly shared: ReadonlySet<string>;
}

/** Rounds bytes up to 256, WebGPU's alignment of bindings. */
export const align = (bytes: number): number => Math.ceil(bytes / 256) * 256;

/** Computes groups and their lifetimes, for nodes that run in the order of `nodes`. */
export function lifetimes(graph: Pick<Graph, 'nodes' | 'outputs'>): Lifetimes {
  const index = new Map<Node, number>(graph.nodes.map((n, i) => [n, i]));
  const lastUse = new Map<Value, number>();
  for (const [node, i] of index) for (const v of node.inputs) lastUse.set(v, i);
  const outputs = new Set(graph.outputs.values());

  const groups = new Map<Value, Group>();
  const shared = new Set<string>();
  for (const [node, i] of index) {
    const pairs = new Map<number, number>();
    for (const [from, to] of inPlacePairs(node)) {
      const input = node.inputs[from] as Value;
      const output = node.outputs[to] as Value;
      const group = groups.get(input);
      if (!group) continue; // an input or state
      const readLater = group.end !== i || outputs.has(input);
      const readTwice = node.inputs.filter((v) => groups.get(v) === group).length > 1;
      const alreadyPaired = pairs.has(to) || [...pairs.values()].includes(from);
      const sameSize = align(bytesOf(input)) === align(bytesOf(output)) && input.dtype === output.dtype;
      const inState = group.at !== undefined;
      if (readLater || readTwice || alreadyPaired || !sameSize || inState) continue;
      pairs.set(to, from);
    }
    node.outputs.forEach((v, j) => {
      const end = outputs.has(v) ? graph.nodes.length : (lastUse.get(v) ?? i);
      const from = pairs.get(j);
      const group = from === undefined ? undefined : groups.get(node.inputs[from] as Value);
      if (group) {
        group.end = Math.max(group.end, end);
        group.at ??= v.at;
        groups.set(v, group);
        shared.add(`${node.id}:${node.inputNames[from as number]}:${node.outputNames[j]}`);
      } else groups.set(v, { bytes: align(bytesOf(v)), start: i, end, at: v.at });
    });
  }
  return { groups, shared };
}

/** Indices of the inputs and outputs of a node that may share memory, best first. */
function inPlacePairs({ op, inputNames, outputNames }: Node): readonly [number, number][] {
  const pairs: [number, number][] = [];
  for (const output in op.inPlace) {
    const to = outputNames.indexOf(output);
    for (const input of [op.inPlace[output] ?? []].flat()) {
      const from = inputNames.indexOf(input);
      if (from >= 0 && to >= 0) pairs.push([from, to]);
    }
  }
  return pairs;
}

/** Returns the groups that need a slot. */
export const slotted = ({ groups }: Pick<Lifetimes, 'groups'>): Group[] =>
  [...new Set(groups.values())].filter((g) => !g.at);

/** Returns the maximum number of bytes in use at once: a lower bound for any assignment of slots. */
export function maxAlive(groups: Iterable<Group>, nodes: number): number {
  const change = new Float64Array(nodes + 2);
  for (const g of groups) {
    change[g.start] = (change[g.start] ?? 0) + g.bytes;
    change[g.end + 1] = (change[g.end + 1] ?? 0) - g.bytes;
  }
  let alive = 0;
  let max = 0;
  for (const c of change) {
    alive += c;
    max = Math.max(max, alive);
  }
  return max;
}

/** Size of each slot in bytes, and the slot of each group. */
export interface Slots {
  readonly bytes: number[];
  readonly slotOf: Map<Group, number>;
}

/**
 * Assigns every group to a slot; groups in use at the same time never share one. Largest first, each into the
 * smallest slot that is free for its whole lifetime: "Greedy by Size" of Pisarchyk and Lee (2020), "Efficient
 * memory management for deep neural net inference".
 */
export function assignSlots(groups: readonly Group[]): Slots {
  const bytes: number[] = [];
  const tenants: Group[][] = [];
  const slotOf = new Map<Group, number>();
  const sorted = [...groups].sort((a, b) => b.bytes - a.bytes || a.start - b.start);
  for (const g of sorted) {
    let best = -1;
    for (let s = 0; s < bytes.length; s++) {
      if (tenants[s]?.some((t) => t.start <= g.end && g.start <= t.end)) continue;
      if (best < 0 || (bytes[s] as number) < (bytes[best] as number)) best = s;
    }
    if (best < 0) {
      best = bytes.length;
      bytes.push(g.bytes);
      tenants.push([]);
    }
    tenants[best]?.push(g);
    slotOf.set(g, best);
  }
  return { bytes, slotOf };
}
