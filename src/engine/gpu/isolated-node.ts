// The harness of single nodes: isolates a node in a graph of its own, makes sample data for its inputs, runs
// one of its variants and compares the results. Auto-tuning, kernel checks, benchmarks and `checkOp` use it.

import { numbersOf } from '../../core/float16.ts';
import { relativeError } from '../../core/relative-error.ts';
import { allocate, type Shape, sizeOf, type TensorData } from '../../core/tensor.ts';
import { Graph } from '../graph/graph.ts';
import type { DeviceTraits } from '../ops/device-traits.ts';
import type { Node, Value, Variant } from '../ops/op.ts';
import { inputsOf, mutatedBy } from '../ops/op-nodes.ts';
import { stepData } from '../ops/step-scalars.ts';
import { variantKey } from '../plan/kernel-choices.ts';
import type { Plan } from '../plan/plan.ts';
import { makePlan } from '../plan/planner.ts';
import type { Device } from './device.ts';
import { GpuEngine } from './gpu-engine.ts';
import type { Runner } from './runner.ts';

/** A node and a graph with only a copy of it. */
export interface IsolatedNode {
  readonly node: Node;
  /** The step is an input; all other inputs are states, so that they are uploaded once. */
  readonly graph: Graph;
  /** The node of `graph`. */
  readonly copy: Node;
}

/**
 * Isolates a node: its graph has the states in0, in1, …, the input `step` if the node reads it, and the
 * outputs out0, out1, …. `shapes` are other shapes of its inputs; throws if the op rejects them.
 */
export function isolate(node: Node, shapes: ReadonlyMap<Value, Shape> = new Map()): IsolatedNode {
  const graph = new Graph();
  const copies = new Map<Value, Value>();
  const inputs = node.inputs.map((v, i) => {
    const isStep = node.inputNames[i] === 'step';
    const shape = shapes.get(v) ?? v.shape;
    const copy =
      copies.get(v) ?? (isStep ? graph.input('step', v.dtype, shape) : graph.state(`in${i}`, v.dtype, shape));
    copies.set(v, copy);
    return copy;
  });
  const copy = graph.copy(node, inputs);
  for (const [i, v] of copy.outputs.entries()) graph.output(`out${i}`, v);
  return { node, graph, copy };
}

/** Returns the plan of an isolated node that runs as a variant. */
export const variantPlan = (
  { graph, copy }: Pick<IsolatedNode, 'graph' | 'copy'>,
  { name }: Pick<Variant, 'name'>,
  traits: DeviceTraits,
): Plan => makePlan(graph, { traits, kernelChoices: { [variantKey(copy)]: name } });

/** A tensor that a node writes: an output, or an input that it changes. */
export interface WrittenTensor {
  /** The value of the node, and its output or state in the isolated graph. */
  readonly value: Value;
  readonly name: string;
  /** Its name in the op. */
  readonly tensor: string;
}

/** The tensors that an isolated node writes. */
export function writtenBy({ node, copy }: Pick<IsolatedNode, 'node' | 'copy'>): WrittenTensor[] {
  const outputs = node.outputs.map((value, i) => ({
    value,
    name: `out${i}`,
    tensor: node.outputNames[i] ?? '',
  }));
  const changed = mutatedBy(node).map((value) => {
    const i = node.inputs.indexOf(value);
    return { value, name: copy.inputs[i]?.name ?? '', tensor: node.inputNames[i] ?? '' };
  });
  return [...outputs, ...changed];
}

/** Data of the inputs and states of a graph by name, as they are stored. */
export type NodeData = ReadonlyMap<string, TensorData>;

/** Sample data for the inputs of an isolated node, like that of a real run; see `sample` of an op. */
export function sampleOf({ copy }: Pick<IsolatedNode, 'copy'>): NodeData {
  const sample = copy.op.sample?.(inputsOf(copy), copy.attrs) ?? {};
  const changed = mutatedBy(copy);
  const samples = new Map<string, TensorData>();
  for (const [i, v] of copy.inputs.entries()) {
    if (samples.has(v.name)) continue; // a value that is an input twice
    const data =
      v.name === 'step'
        ? sampleStep(copy)
        : changed.includes(v)
          ? changedSample(v, i + 1)
          : noiseFor(v, i + 1);
    const given = sample[copy.inputNames[i] ?? ''];
    if (given) for (let k = 0; k < data.length; k++) data[k] = given(k) ?? (data[k] as number);
    samples.set(v.name, data);
  }
  return samples;
}

/**
 * Noise for floats. u32: lengths that mask nothing for vectors, packed weights for matrices. Zeros for other
 * integers.
 */
function noiseFor({ dtype, shape }: Value, seed: number): TensorData {
  const data = allocate(dtype, sizeOf(shape));
  if (data instanceof Float32Array) fillNoise(data, seed);
  else if (data instanceof Uint16Array) fillF16Noise(data, seed);
  else if (dtype === 'u32' && shape.length === 1) data.fill(unmaskedLength);
  else if (dtype === 'u32') fillF16Noise(new Uint16Array(data.buffer), seed);
  return data;
}

/** The sample of a tensor that the node changes: counters are zero, and sums of squares are not negative. */
function changedSample(value: Value, seed: number): TensorData {
  if (value.dtype[0] !== 'f') return allocate(value.dtype, sizeOf(value.shape));
  const data = noiseFor(value, seed);
  return value.dtype === 'f32' ? data.map(Math.abs) : data;
}

/** A sequence length that masks nothing, since kernels clamp it to the actual size. */
const unmaskedLength = 2 ** 31 - 1;

/** The step scalars of a training step in which gradients are accumulated. */
const sampleStep = (node: Node): Uint32Array =>
  stepData({
    learningRate: 1e-3,
    tokenWeight: 1e-3,
    seed: 1,
    step: 1,
    keep: 1,
    position: middlePosition(node),
  });

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
function fillNoise(data: Float32Array, seed: number): void {
  let x = seed;
  for (let i = 0; i < data.length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    data[i] = x / 2 ** 32;
  }
}

/** Fills with f16 noise of either sign and magnitudes from 0.125 to 0.1875. */
function fillF16Noise(data: Uint16Array, seed: number): void {
  const noise = new Float32Array(data.length);
  fillNoise(noise, seed);
  for (const [i, x] of noise.entries())
    data[i] = 0x3000 | (x < 0 ? 0x8000 : 0) | Math.floor(1024 * Math.abs(x));
}

/** The expected numbers of an output or state. */
export interface Expected {
  /** Name in the graph, and name of the tensor in messages. */
  readonly name: string;
  readonly tensor: string;
  readonly data: ArrayLike<number>;
  /** Maximum relative error, see `relativeError`. */
  readonly allowed: number;
}

/** An output or state, compared with what is expected. */
export interface Compared extends Expected {
  readonly got: ArrayLike<number>;
  readonly error: number;
  readonly passed: boolean;
}

/** Fills all slots of an engine with NaN, so that memory that is read before it is written shows. */
export function poisonSlots({ device, slots }: Pick<GpuEngine, 'device' | 'slots'>): void {
  for (const slot of slots)
    device.gpu.queue.writeBuffer(slot, 0, new Uint32Array(slot.size / 4).fill(0x7fc0dead));
}

/** A plan on the device, with memory of its own and its data loaded. */
export class LoadedPlan {
  readonly runner: Runner;
  readonly #engine: GpuEngine;
  #outputs: Readonly<Record<string, TensorData>> = {};

  private constructor(engine: GpuEngine, runner: Runner) {
    this.#engine = engine;
    this.runner = runner;
  }

  /**
   * Loads a plan. `poison`: all other memory is NaN first, so that a read of unwritten memory shows. Throws if
   * a kernel does not compile.
   */
  static async load(
    device: Device,
    plan: Plan,
    data: NodeData,
    { poison = false }: { readonly poison?: boolean } = {},
  ): Promise<LoadedPlan> {
    const engine = new GpuEngine(device);
    try {
      const [runner] = (await engine.preparePlans([plan], { inFlight: 1 })) as [Runner];
      if (poison) poisonSlots(engine);
      for (const [name, numbers] of data) {
        const input = runner.inputs[name];
        if (input) input.set(numbers);
        else engine.write(name, numbers);
      }
      return new LoadedPlan(engine, runner);
    } catch (error) {
      engine.destroy();
      throw error;
    }
  }

  /** Runs the plan once. */
  async run(): Promise<void> {
    this.#outputs = await this.runner.run();
  }

  /** The numbers of an output of the last run, or of a state. */
  async result(name: string): Promise<ArrayLike<number>> {
    return numbersOf(this.#outputs[name] ?? (await this.#engine.read(name)).data);
  }

  /** Compares results of the last run, one after the other. `equalNaN`: see `relativeError`. */
  async *compare(expected: Iterable<Expected>, equalNaN = false): AsyncGenerator<Compared> {
    for (const one of expected) {
      const got = await this.result(one.name);
      const error = relativeError(got, one.data, equalNaN);
      yield { ...one, got, error, passed: error <= one.allowed };
    }
  }

  /** Frees its memory. */
  destroy(): void {
    this.#engine.destroy();
  }
}
