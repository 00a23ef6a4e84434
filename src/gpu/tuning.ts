// Tuning: measures the variants of the nodes of graphs on the device itself and says which won. Adapters differ too much for a
// table of names: what is best on a GPU can be ten times slower on a software adapter.

import { Graph } from '../graph/graph.ts';
import type { Node, Value } from '../ops/op.ts';
import { type Choices, makePlan, variantKey } from '../plan/planner.ts';
import type { Device } from './device.ts';
import { Session } from './session.ts';

/** One measured variant. */
export interface Measured {
  readonly key: string;
  readonly variant: string;
  readonly ms: number;
}

/** Settings of `tune`. */
export interface TuneOptions {
  /** What is known already; those keys are not measured again. */
  readonly known?: Choices;
  /** Stop measuring after so many milliseconds; what is left takes the winner of the most similar node. Default 4,000. */
  readonly budgetMs?: number;
  readonly onProgress?: (done: number, of: number, measured: readonly Measured[]) => void;
}

/** Measures what is not known; returns choices for every node of `graphs` that has a choice. */
export async function tune(device: Device, graphs: readonly Graph[], options: TuneOptions = {}): Promise<Choices> {
  const { known = {}, budgetMs = 4000 } = options;
  const choices: Record<string, string> = { ...known };
  const open = new Map<string, Node>();
  for (const graph of graphs)
    for (const node of graph.nodes) {
      const variants = node.op.variants?.(node, device.traits) ?? [];
      const key = variantKey(node);
      if (variants.length > 1 && !variants.includes(choices[key] ?? '')) open.set(key, node);
    }
  // Dearest first: where the time runs out, the small ones are guessed.
  const order = [...open]
    .map(([key, node]) => ({ key, node, flops: flopsOf(node, device) }))
    .sort((a, b) => b.flops - a.flops);
  const start = performance.now();
  let done = 0;
  for (const { key, node } of order) {
    const similar = mostSimilar(key, node, choices, device);
    if (performance.now() - start > budgetMs && similar) {
      choices[key] = similar;
      continue;
    }
    const measured = await measureNode(device, key, node);
    choices[key] = (measured[0] as Measured).variant;
    options.onProgress?.(++done, order.length, measured);
  }
  return choices;
}

/** Times each variant of a node alone; fastest first. A variant that is three times slower than the best is tried once only. */
export async function measureNode(device: Device, key: string, node: Node): Promise<Measured[]> {
  const variants = node.op.variants?.(node, device.traits) ?? ['only'];
  const results: Measured[] = [];
  let best = Number.POSITIVE_INFINITY;
  for (const variant of variants) {
    const session = new Session(device);
    try {
      const graph = alone(node);
      const plan = makePlan(graph, { traits: device.traits, choices: { [key]: variant } });
      const [runner] = await session.prepare([plan]);
      if (!runner) throw new Error('tuning: no runner');
      for (const [name, input] of Object.entries(runner.inputs))
        if (input instanceof Float32Array) fillNoise(input);
        else input.fill(isLength(graph, name) ? keysOf(node) : 0);
      await runner.time(1); // compiles and warms up
      let ms = await runner.time(1);
      if (ms < 3 * best) {
        const repeats = Math.max(1, Math.min(50, Math.round(5 / ms)));
        for (let i = 0; i < 3; i++) ms = Math.min(ms, await runner.time(repeats));
      }
      best = Math.min(best, ms);
      results.push({ key, variant, ms });
    } finally {
      session.destroy();
    }
  }
  return results.sort((a, b) => a.ms - b.ms);
}

/** Numbers of no pattern in [-0.5, 0.5): zeros would make some adapters fast (a linear congruential generator; Knuth, vol. 2). */
function fillNoise(data: Float32Array): void {
  let x = 1;
  for (let i = 0; i < data.length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    data[i] = x / 2 ** 32;
  }
}

/** A graph of one node alone, its inputs as inputs or, where it mutates them, states. */
function alone(node: Node): Graph {
  const graph = new Graph();
  const names = new Map<Value, Value>();
  const inputs = node.inputs.map((v, i) => {
    let value = names.get(v);
    if (!value) {
      value = node.op.mutates?.includes(i)
        ? graph.state(`in${i}`, v.dtype, v.shape)
        : graph.input(v.name === 'step' ? 'step' : `in${i}`, v.dtype, v.shape);
      names.set(v, value);
    }
    return value;
  });
  graph.apply(node.op, inputs, node.attrs);
  return graph;
}

/** Row lengths u32 [B] should be long, or masked work is not measured. */
const isLength = (graph: Graph, name: string): boolean => {
  const v = graph.inputs.get(name);
  return v?.dtype === 'u32' && v.shape.length === 1 && name !== 'step';
};
const keysOf = (node: Node): number => Math.max(...node.inputs.map((v) => (v.dtype === 'f32' ? (v.shape[1] ?? 1) : 1)));

function flopsOf(node: Node, device: Device): number {
  return makePlan(alone(node), { traits: device.traits }).flops;
}

/** The winner among known nodes of the same op and attributes whose sizes are nearest. */
function mostSimilar(key: string, node: Node, choices: Choices, device: Device): string | undefined {
  const [kind, sizes] = split(key);
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [other, variant] of Object.entries(choices)) {
    const [otherKind, otherSizes] = split(other);
    if (otherKind !== kind || otherSizes.length !== sizes.length) continue;
    if (!node.op.variants?.(node, device.traits).includes(variant)) continue;
    const distance = sizes.reduce((d, n, i) => d + Math.abs(Math.log((n + 1) / ((otherSizes[i] ?? 0) + 1))), 0);
    if (distance < least) {
      least = distance;
      best = variant;
    }
  }
  return best;
}

/** Op and attributes, and all sizes of the types. */
function split(key: string): [string, number[]] {
  const end = key.lastIndexOf('}') + 1;
  return [key.slice(0, end), [...key.slice(end).matchAll(/(?<=[[,])\d+/g)].map((m) => Number(m[0]))];
}
