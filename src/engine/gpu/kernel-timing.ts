// Times a kernel variant of a single node, on data like that of a real run.

import type { Shape, TensorData } from '../../core/tensor.ts';
import { Graph } from '../graph/graph.ts';
import type { DeviceTraits } from '../ops/device-traits.ts';
import type { Node, Value, Variant } from '../ops/op.ts';
import { inputsOf, mutatedBy } from '../ops/op-nodes.ts';
import { writeStep } from '../ops/step-scalars.ts';
import { variantKey } from '../plan/kernel-choices.ts';
import type { Plan } from '../plan/plan.ts';
import { makePlan } from '../plan/planner.ts';
import type { Device } from './device.ts';
import { GpuEngine } from './gpu-engine.ts';
import { pipelinesOf } from './pipelines.ts';
import type { Runner } from './runner.ts';

/** Starts to compile a variant of a node. `measureVariant` waits for it. */
export function compileVariant(device: Device, node: Node, variant: Variant): void {
  const plan = variantPlan(singleNodeGraph(node), variant, device.traits);
  // Errors of the compiler are reported when the kernel runs.
  for (const pass of plan.passes)
    pipelinesOf(device.gpu)
      .get(pass)
      .catch(() => {});
}

/**
 * Returns the minimum time of a variant of a node in milliseconds. A variant slower than 3 · `best` runs only
 * twice.
 */
export async function measureVariant(
  device: Device,
  node: Node,
  variant: Variant,
  best: number,
): Promise<number> {
  const engine = new GpuEngine(device);
  try {
    const plan = variantPlan(singleNodeGraph(node), variant, device.traits);
    const [runner] = (await engine.preparePlans([plan])) as [Runner];
    fillSample(node, runner.inputs);
    await runner.time(1); // warms up
    let ms = await runner.time(1);
    if (ms < 3 * best) {
      const repeats = Math.max(1, Math.min(50, Math.round(5 / ms)));
      for (let k = 0; k < 3; k++) ms = Math.min(ms, await runner.time(repeats));
    }
    return ms;
  } finally {
    engine.destroy();
  }
}

/** Returns the number of floating-point operations of a node. */
export const flopsOf = (node: Node, { traits }: Pick<Device, 'traits'>): number =>
  makePlan(singleNodeGraph(node), { traits }).flops;

/** Returns the plan of a graph of a single node that runs as a variant. */
export const variantPlan = (graph: Graph, { name }: Pick<Variant, 'name'>, traits: DeviceTraits): Plan =>
  makePlan(graph, { traits, kernelChoices: { [variantKey(graph.nodes[0] as Node)]: name } });

/**
 * Makes a graph of a single node. Its inputs are inputs of the graph, or states if the op changes them.
 * `shapes` are other shapes of inputs; throws if the op rejects them.
 */
export function singleNodeGraph(node: Node, shapes: ReadonlyMap<Value, Shape> = new Map()): Graph {
  const graph = new Graph();
  const values = new Map<Value, Value>();
  const mutated = mutatedBy(node);
  const inputs = node.inputs.map((v, i) => {
    const shape = shapes.get(v) ?? v.shape;
    const value =
      values.get(v) ??
      (mutated.includes(v)
        ? graph.state(inputName(node, i), v.dtype, shape)
        : graph.input(inputName(node, i), v.dtype, shape));
    values.set(v, value);
    return value;
  });
  graph.copy(node, inputs);
  return graph;
}

/** Fills the inputs of `singleNodeGraph(node)` with sample data; see `sample` of an op. States stay zero. */
export function fillSample(node: Node, inputs: Readonly<Record<string, TensorData>>): void {
  const sample = node.op.sample?.(inputsOf(node), node.attrs) ?? {};
  for (const [i, v] of node.inputs.entries()) {
    const name = inputName(node, i);
    const data = inputs[name];
    const given = sample[node.inputNames[i] ?? ''];
    if (!data) continue; // a state, or a value that is an input twice
    if (name === 'step') writeStep(data as Uint32Array, { ...trainingStep, position: middlePosition(node) });
    else if (data instanceof Float32Array) fillNoise(data);
    else if (data instanceof Uint16Array) fillF16Noise(data);
    else if (v.dtype === 'u32' && v.shape.length === 1) data.fill(unmaskedLength);
    else if (v.dtype === 'u32') fillF16Noise(new Uint16Array(data.buffer, data.byteOffset, 2 * data.length));
    if (given) for (let k = 0; k < data.length; k++) data[k] = given(k) ?? (data[k] as number);
  }
}

const inputName = ({ inputNames }: Node, i: number): string => (inputNames[i] === 'step' ? 'step' : `in${i}`);

/** A sequence length that masks nothing, since kernels clamp it to the actual size. */
const unmaskedLength = 2 ** 31 - 1;

const trainingStep = { learningRate: 1e-3, tokenWeight: 1e-3, seed: 1, step: 1, keep: 1 };

/**
 * The middle position of a KV cache [R,T,2HW] or history [R,T]: at position 0 attention would have a single
 * key.
 */
function middlePosition({ inputs }: Node): number {
  const kept = inputs.filter(({ dtype, shape }) => shape.length === (dtype[0] === 'f' ? 3 : 2));
  return Math.floor((Math.max(1, ...kept.map(({ shape }) => shape[1] as number)) - 1) / 2);
}

/**
 * Fills with noise in [-0.5, 0.5) by a linear congruential generator (Knuth, vol. 2): some adapters are
 * faster on zeros.
 */
export function fillNoise(data: Float32Array, seed = 1): void {
  let x = seed;
  for (let i = 0; i < data.length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    data[i] = x / 2 ** 32;
  }
}

/** Fills with f16 noise of either sign and magnitudes from 0.125 to 0.1875. */
function fillF16Noise(data: Uint16Array): void {
  const noise = new Float32Array(data.length);
  fillNoise(noise);
  for (const [i, x] of noise.entries())
    data[i] = 0x3000 | (x < 0 ? 0x8000 : 0) | Math.floor(1024 * Math.abs(x));
}
