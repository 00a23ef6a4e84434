// Times one kernel of one node, alone on the device, on data like a run's.

import { Graph } from '../graph/graph.ts';
import { applyAlike } from '../graph/half.ts';
import type { Node, Value } from '../ops/op.ts';
import { type StepScalars, writeStep, zeroStep } from '../ops/step.ts';
import { makePlan, variantKey } from '../plan/planner.ts';
import type { Device } from './device.ts';
import { pipelinesOf } from './pipelines.ts';
import type { Runner } from './runner.ts';
import { Session } from './session.ts';

/** Starts to compile a variant of a node; `measureVariant` waits for it. */
export function compileVariant(device: Device, node: Node, variant: string): void {
  const plan = planOf(device, alone(node), node, variant);
  // A kernel that does not compile says so to whoever runs it.
  for (const pass of plan.passes)
    pipelinesOf(device.gpu)
      .get(pass)
      .catch(() => {});
}

/** Milliseconds of a variant of a node. One slower than three times `best` is run twice only. */
export async function measureVariant(device: Device, node: Node, variant: string, best: number): Promise<number> {
  const graph = alone(node);
  const session = new Session(device);
  try {
    const [runner] = (await session.prepare([planOf(device, graph, node, variant)])) as [Runner];
    for (const [name, input] of Object.entries(runner.inputs))
      if (input instanceof Float32Array) fillNoise(input);
      else if (input instanceof Uint16Array) fillHalfNoise(input);
      else if (name === 'step') writeStep(input as Uint32Array, halfWay(node));
      else input.fill(isLength(graph, name) ? keysOf(node) : 0);
    await runner.time(1); // warms up
    let ms = await runner.time(1);
    if (ms < 3 * best) {
      const repeats = Math.max(1, Math.min(50, Math.round(5 / ms)));
      for (let k = 0; k < 3; k++) ms = Math.min(ms, await runner.time(repeats));
    }
    return ms;
  } finally {
    session.destroy();
  }
}

/** Floating-point operations of a node. */
export const flopsOf = (node: Node, device: Device): number => makePlan(alone(node), { traits: device.traits }).flops;

const planOf = (device: Device, graph: Graph, node: Node, variant: string) =>
  makePlan(graph, { traits: device.traits, choices: { [variantKey(node)]: variant } });

/** Numbers of no pattern in [-0.5, 0.5): zeros would make some adapters fast (a linear congruential generator; Knuth, vol. 2). */
function fillNoise(data: Float32Array): void {
  let x = 1;
  for (let i = 0; i < data.length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    data[i] = x / 2 ** 32;
  }
}

/** The same as f16, of either sign and from 0.125 to 0.25. */
function fillHalfNoise(data: Uint16Array): void {
  const noise = new Float32Array(data.length);
  fillNoise(noise);
  for (const [i, x] of noise.entries()) data[i] = 0x3000 | (x < 0 ? 0x8000 : 0) | Math.floor(1024 * Math.abs(x));
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
  applyAlike(graph, node, inputs);
  return graph;
}

/** Row lengths u32 [B] should be long, or masked work is not measured. */
const isLength = (graph: Graph, name: string): boolean => {
  const v = graph.inputs.get(name);
  return v?.dtype === 'u32' && v.shape.length === 1 && name !== 'step';
};
const keysOf = (node: Node): number =>
  Math.max(...node.inputs.map((v) => (v.dtype[0] === 'f' ? (v.shape[1] ?? 1) : 1)));

/** A decoding is measured half-way: at position 0 its attention has one key to look at. */
const halfWay = (node: Node): StepScalars => ({
  ...zeroStep,
  position: Math.floor((keysOf(node) - 1) / 2),
});
