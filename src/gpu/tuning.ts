// Tuning: measures the variants of the nodes of graphs on the device itself and says which won. Adapters differ too much for a
// table of names: what is best on a GPU can be ten times slower on a software adapter.

import { Graph } from '../graph/graph.ts';
import type { Node, Value } from '../ops/op.ts';
import { type StepScalars, writeStep } from '../ops/step.ts';
import type { Plan } from '../plan/plan.ts';
import { type Choices, makePlan, variantKey } from '../plan/planner.ts';
import type { Device } from './device.ts';
import { pipelinesOf } from './pipelines.ts';
import type { Runner } from './runner.ts';
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
  const slow = new Map<string, Set<string>>();
  let done = 0;
  for (const { key, node } of order) {
    const out = slow.get(node.op.name);
    const left = (node.op.variants?.(node, device.traits) ?? []).filter((v) => !out?.has(v));
    const similar = mostSimilar(key, left, choices);
    const late = performance.now() - start > budgetMs;
    if (similar && (similar.distance === 0 || late)) {
      choices[key] = similar.variant;
      continue;
    }
    const measured = await measureNode(device, key, node, left);
    choices[key] = (measured[0] as Measured).variant;
    if (!out)
      slow.set(
        node.op.name,
        new Set(measured.filter((m) => m.ms > 2 * (measured[0] as Measured).ms).map((m) => m.variant)),
      );
    options.onProgress?.(++done, order.length, measured);
  }
  return choices;
}

/**
 * Times variants of a node (default: all) alone, fastest first. They are compiled in parallel, since that takes longest; one that is
 * three times slower than the best is run twice only.
 */
export async function measureNode(
  device: Device,
  key: string,
  node: Node,
  variants = node.op.variants?.(node, device.traits) ?? ['only'],
): Promise<Measured[]> {
  const graph = alone(node);
  const plans = variants.map((variant) => makePlan(graph, { traits: device.traits, choices: { [key]: variant } }));
  await Promise.all(plans.flatMap((plan) => plan.passes.map((pass) => pipelinesOf(device.gpu).get(pass))));
  const results: Measured[] = [];
  let best = Number.POSITIVE_INFINITY;
  for (const [i, variant] of variants.entries()) {
    const session = new Session(device);
    try {
      const [runner] = (await session.prepare([plans[i] as Plan])) as [Runner];
      for (const [name, input] of Object.entries(runner.inputs))
        if (input instanceof Float32Array) fillNoise(input);
        else if (name === 'step') writeStep(input as Uint32Array, halfWay(node));
        else input.fill(isLength(graph, name) ? keysOf(node) : 0);
      await runner.time(1); // warms up
      let ms = await runner.time(1);
      if (ms < 3 * best) {
        const repeats = Math.max(1, Math.min(50, Math.round(5 / ms)));
        for (let k = 0; k < 3; k++) ms = Math.min(ms, await runner.time(repeats));
      }
      best = Math.min(best, ms);
      results.push({ key, variant, ms });
    } finally {
      session.destroy();
    }
  }
  return results.sort((x, y) => x.ms - y.ms);
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

/** A decoding is measured half-way: at position 0 its attention has one key to look at. */
const halfWay = (node: Node): StepScalars => ({
  learningRate: 0,
  tokenWeight: 0,
  seed: 0,
  step: 0,
  keep: 0,
  position: Math.floor((keysOf(node) - 1) / 2),
});

function flopsOf(node: Node, device: Device): number {
  return makePlan(alone(node), { traits: device.traits }).flops;
}

/** The winner, one of `variants`, among known nodes of the same op whose sizes are nearest; the attributes may differ. */
function mostSimilar(
  key: string,
  variants: readonly string[],
  choices: Choices,
): { variant: string; distance: number } | undefined {
  const [op, sizes] = split(key);
  let best: { variant: string; distance: number } | undefined;
  for (const [other, variant] of Object.entries(choices)) {
    const [otherOp, otherSizes] = split(other);
    if (otherOp !== op || !variants.includes(variant)) continue;
    // Optional inputs stand at the end of the inputs; products of sizes compare what the same sizes in another order do not.
    const distance =
      Math.abs(volume(sizes) - volume(otherSizes)) +
      (sizes.slice(0, 6).join() === otherSizes.slice(0, 6).join() ? 0 : 1e-3);
    if (!best || distance < best.distance) best = { variant, distance };
  }
  return best;
}

/** Logarithm of the product of the first two tensors' sizes. */
const volume = (sizes: readonly number[]): number => sizes.slice(0, 6).reduce((sum, n) => sum + Math.log(n + 1), 0);

/** Op, and all sizes of the types. */
function split(key: string): [string, number[]] {
  const end = key.lastIndexOf('}') + 1;
  return [key.slice(0, key.indexOf(' ')), [...key.slice(end).matchAll(/(?<=[[,])\d+/g)].map((m) => Number(m[0]))];
}
