// Checks a kernel variant before it is used: its results on sample data must be those of the naive variant on
// the same adapter, within a tolerance. A bug of a driver or of an untested kernel then costs speed, never
// correctness.

import { HeddleError, messageOf } from '../../core/errors.ts';
import { fromFloat16 } from '../../core/float16.ts';
import { relativeError } from '../../core/relative-error.ts';
import { bytesOf, type DType, type Shape, sizeOf, type TensorData } from '../../core/tensor.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node, Value, Variant } from '../ops/op.ts';
import { mutatedBy } from '../ops/op-nodes.ts';
import { naiveOf, variantKey } from '../plan/kernel-choices.ts';
import { makePlan } from '../plan/planner.ts';
import type { Device } from './device.ts';
import { GpuEngine } from './gpu-engine.ts';
import { fillNoise, fillSample, singleNodeGraph, variantPlan } from './kernel-timing.ts';
import { kernelKey } from './pipelines.ts';
import type { Runner } from './runner.ts';

/**
 * Maximum difference, relative to the largest value of the output. float32 sums in another order differ by
 * less than a tenth of it; float16 rounds to 2^-11.
 */
const tolerances = { f32: 1e-4, f16: 4e-3 } as const;

/**
 * Maximum floating-point operations of a check; an element of a tensor counts as 64. A node with more is
 * checked at smaller sizes: the naive product of a vocabulary takes seconds on a software adapter, and can
 * exceed the time limit of a driver.
 */
const maxWork = { software: 3e7, gpu: 1e9 } as const;
const workPerElement = 64;

/** Results of the checks so far, by device and compiled kernels: '' if they are right, else what is wrong. */
const verdicts = new WeakMap<GPUDevice, Map<string, string>>();

/**
 * Returns a function that says what is wrong with a variant of a node; '' if nothing. Kernels that passed
 * before, on a node of another size, are not run again. It throws if the device is lost.
 */
export function createChecker(device: Device): (node: Node, variant: Variant) => Promise<string> {
  const known = verdicts.get(device.gpu) ?? new Map<string, string>();
  verdicts.set(device.gpu, known);
  /** Results of the naive variant of the last checked node. */
  let naive: { readonly key: string; readonly excerpt: Graph; readonly results: Results } | undefined;
  return async (node, variant) => {
    const simplest = naiveOf(node, device.traits);
    if (variant.name === simplest.name) return '';
    const id = kernelsOf(node, variant, device);
    const before = known.get(id);
    if (before !== undefined) return before;
    const key = variantKey(node);
    if (naive?.key !== key) {
      const excerpt = excerptOf(node, device);
      naive = { key, excerpt, results: await resultsOf(device, excerpt, simplest) };
    }
    const verdict = await resultsOf(device, naive.excerpt, variant).then(
      (results) => compare(results, naive?.results as Results, simplest.name),
      (error: unknown) => {
        device.check();
        if (error instanceof HeddleError && error.kind === 'memory') throw error;
        return messageOf(error);
      },
    );
    known.set(id, verdict);
    return verdict;
  };
}

/** Key of the compiled kernels of a variant; nodes of different sizes can share it. */
function kernelsOf(node: Node, variant: Variant, { traits }: Device): string {
  const plan = variantPlan(singleNodeGraph(node), variant, traits);
  return [node.op.name, ...plan.passes.map(kernelKey)].join('\n');
}

/** Outputs and changed states by name. */
type Results = ReadonlyMap<string, { readonly dtype: DType; readonly data: TensorData }>;

/** Runs the node of a graph once as a variant, on noise and poisoned memory. */
async function resultsOf(device: Device, graph: Graph, variant: Variant): Promise<Results> {
  const { gpu } = device;
  const node = graph.nodes[0] as Node;
  const engine = new GpuEngine(device);
  gpu.pushErrorScope('internal');
  gpu.pushErrorScope('validation');
  const results = run().finally(() => engine.destroy());
  const [ran, ...errors] = await Promise.all([
    results.then(
      (value) => ({ value }),
      (reason: unknown) => ({ reason }),
    ),
    results.catch(() => {}).then(() => gpu.popErrorScope()),
    results.catch(() => {}).then(() => gpu.popErrorScope()),
  ]);
  const error = errors.find((e) => e !== null);
  if ('reason' in ran) throw ran.reason;
  if (error) throw new Error(`WebGPU error: ${error.message}`);
  return ran.value;

  async function run(): Promise<Results> {
    const [runner] = (await engine.preparePlans([variantPlan(graph, variant, device.traits)])) as [Runner];
    fillSample(node, runner.inputs);
    const mutated = mutatedBy(node);
    for (const { name, shape } of mutated.filter(({ dtype }) => dtype === 'f32')) {
      const noise = new Float32Array(sizeOf(shape));
      fillNoise(noise);
      engine.write(name, noise.map(Math.abs)); // second moments are not negative
    }
    engine.poison();
    const outputs = await runner.run();
    const results = new Map<string, { dtype: DType; data: TensorData }>();
    for (const [name, { dtype }] of graph.outputs)
      results.set(name, { dtype, data: outputs[name] as TensorData });
    for (const { name, dtype } of mutated) results.set(name, { dtype, data: (await engine.read(name)).data });
    return results;
  }
}

/** Returns what is wrong with the results of a variant; '' if nothing. Integers must be equal. */
function compare(got: Results, want: Results, naive: string): string {
  const isF16 = [...want.values()].some(({ dtype }) => dtype === 'f16');
  for (const [name, { dtype, data }] of want) {
    const other = got.get(name)?.data as TensorData;
    const numbers = (stored: TensorData) => (dtype === 'f16' ? fromFloat16(stored as Uint16Array) : stored);
    const error = relativeError(numbers(other), numbers(data), true);
    const allowed = dtype[0] !== 'f' ? 0 : isF16 ? tolerances.f16 : tolerances.f32;
    if (!(error <= allowed))
      return `it differs from ${naive} by ${error.toExponential(1)} of the largest value, allowed ${allowed}`;
  }
  return '';
}

/**
 * Returns a graph of the node, with smaller axes if it is too much work. Axes of 256 or more are halved
 * first; their remainder by 128 stays, so that tiles have the same edges. Then the first axis of tensors with
 * three or more axes is halved. An axis stays as it is if the op's shape rule rejects a smaller one.
 */
function excerptOf(node: Node, { traits }: Device): Graph {
  const limit = traits.software ? maxWork.software : maxWork.gpu;
  let shapes = new Map<Value, Shape>(node.inputs.map((v) => [v, v.shape]));
  let graph = withOutputs(singleNodeGraph(node, shapes));
  for (let work = workOf(graph); work > limit; ) {
    const smaller = shrunk(node, shapes, (next) => {
      const excerpt = withOutputs(singleNodeGraph(node, next));
      return workOf(excerpt) < work ? excerpt : undefined;
    });
    if (!smaller) break;
    ({ shapes, graph } = smaller);
    work = workOf(graph);
  }
  return graph;

  function workOf(g: Graph): number {
    const all = [...g.inputs.values(), ...g.states.values(), ...(g.nodes[0] as Node).outputs];
    const elements = all.reduce((sum, v) => sum + bytesOf(v) / 4, 0);
    return Math.max(makePlan(g, { traits }).flops, workPerElement * elements);
  }
}

function withOutputs(graph: Graph): Graph {
  for (const [i, v] of (graph.nodes[0] as Node).outputs.entries()) graph.output(`out${i}`, v);
  return graph;
}

/** The first way to shrink all axes of one size that `accept` takes; the largest axes first. */
function shrunk(
  { inputs, inputNames }: Node,
  shapes: ReadonlyMap<Value, Shape>,
  accept: (shapes: Map<Value, Shape>) => Graph | undefined,
): { shapes: Map<Value, Shape>; graph: Graph } | undefined {
  const tensors = inputs.filter((_, i) => inputNames[i] !== 'step').map((v) => shapes.get(v) ?? v.shape);
  const large = tensors.flatMap((shape) => [...shape]).filter((size) => size >= 256);
  const batch = tensors.flatMap(([size = 1, ...others]: Shape) =>
    others.length > 1 && size > 1 ? [size] : [],
  );
  const [first, later, any] = [(axis: number) => axis === 0, (axis: number) => axis > 0, () => true];
  const ways = [
    ...unique(large).flatMap((size) => {
      const to = 128 * Math.floor(size / 256) + (size % 128);
      return [first, later, any].map((at) => ({ size, to, at }));
    }),
    ...unique(batch).map((size) => ({ size, to: Math.ceil(size / 2), at: first })),
  ];
  for (const { size, to, at } of ways) {
    const shrink = (shape: Shape) => shape.map((n, axis) => (n === size && at(axis) ? to : n));
    const next = new Map<Value, Shape>([...shapes].map(([v, shape]) => [v, shrink(shape)]));
    for (const [i, v] of inputs.entries()) if (inputNames[i] === 'step') next.set(v, v.shape);
    try {
      const graph = accept(next);
      if (graph) return { shapes: next, graph };
    } catch {} // the op rejects these shapes
  }
  return undefined;
}

/** Different numbers, largest first. */
const unique = (numbers: readonly number[]): number[] => [...new Set(numbers)].sort((a, b) => b - a);
