// Lifetimes: which values share memory in place, and from which node to which each piece of memory is needed.

import { bytesOf } from '../core/tensor.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node, Value } from '../ops/op.ts';

/** Memory for one value, or for several that hand it on in place. */
export interface Group {
  bytes: number;
  /** Number of the first node that writes it and of the last node that touches it. */
  start: number;
  end: number;
  /** Values are placed in a state: no slot is needed. */
  at?: Value['at'];
}

/** Groups of all results of a graph. `shared` holds `node.id:input:output`, by name, for each pair that shares memory in place. */
export interface Lifetimes {
  readonly groups: ReadonlyMap<Value, Group>;
  readonly shared: ReadonlySet<string>;
}

/** Slots are multiples of 256 bytes, so that vec4 views and copies always fit. */
export const align = (bytes: number): number => Math.ceil(bytes / 256) * 256;

/** Works out groups and lifetimes, the nodes running in the order of `nodes`. */
export function lifetimes(graph: Pick<Graph, 'nodes' | 'outputs'>): Lifetimes {
  const index = new Map<Node, number>(graph.nodes.map((n, i) => [n, i]));
  const lastUse = new Map<Value, number>();
  for (const [node, i] of index) for (const v of node.inputs) lastUse.set(v, i);
  const kept = new Set(graph.outputs.values());

  const groups = new Map<Value, Group>();
  const shared = new Set<string>();
  for (const [node, i] of index) {
    const pairs = new Map<number, number>();
    for (const [from, to] of inPlacePairs(node)) {
      const input = node.inputs[from] as Value;
      const output = node.outputs[to] as Value;
      const group = groups.get(input);
      const once = node.inputs.filter((v) => groups.get(v) === group).length === 1;
      const free = group && group.end === i && !kept.has(input) && once && !(group.at && output.at) && !pairs.has(to);
      if (!free || align(bytesOf(input)) !== align(bytesOf(output)) || [...pairs.values()].includes(from)) continue;
      if (input.dtype !== output.dtype || (group.at && !output.at)) continue;
      pairs.set(to, from);
    }
    node.outputs.forEach((v, j) => {
      const end = kept.has(v) ? graph.nodes.length : (lastUse.get(v) ?? i);
      const from = pairs.get(j);
      const group = from === undefined ? undefined : groups.get(node.inputs[from] as Value);
      if (group) {
        group.end = Math.max(group.end, end);
        group.at ??= v.at;
        groups.set(v, group);
        shared.add(`${node.id}:${node.inputNames[from as number]}:${node.outputNames[j]}`);
      } else groups.set(v, { bytes: align(bytesOf(v)), start: i, end, ...(v.at && { at: v.at }) });
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

/** The groups that need a slot. */
export const slotted = ({ groups }: Pick<Lifetimes, 'groups'>): Group[] =>
  [...new Set(groups.values())].filter((g) => !g.at);

/** The most bytes alive at once among groups: no assignment to slots can need less. */
export function maxAlive(groups: Iterable<Group>, nodes: number): number {
  const change = new Float64Array(nodes + 2);
  for (const g of groups) {
    change[g.start] = (change[g.start] ?? 0) + g.bytes;
    change[g.end + 1] = (change[g.end + 1] ?? 0) - g.bytes;
  }
  let alive = 0;
  let most = 0;
  for (const c of change) {
    alive += c;
    most = Math.max(most, alive);
  }
  return most;
}

/** Bytes of each slot, and the slot of each group. */
export interface Slots {
  readonly bytes: number[];
  readonly of: Map<Group, number>;
}

/** Assigns every group to a slot; groups alive at the same time never share one. */
export function assignSlots(groups: readonly Group[]): Slots {
  const bytes: number[] = [];
  const tenants: Group[][] = [];
  const of = new Map<Group, number>();
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
    of.set(g, best);
  }
  return { bytes, of };
}
