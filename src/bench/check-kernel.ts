// Checks and times one kernel on the device: compares each of its variants with the float64 reference, then
// times it.

import { messageOf } from '../core/errors.ts';
import { numbersOf, roundToF16, toFloat16 } from '../core/float16.ts';
import { random } from '../core/random.ts';
import { relativeError } from '../core/relative-error.ts';
import { allocate, bytesOf, sizeOf } from '../core/tensor.ts';
import { createCpuExecutor } from '../engine/cpu/executor.ts';
import type { Device } from '../engine/gpu/device.ts';
import { GpuEngine } from '../engine/gpu/gpu-engine.ts';
import { variantPlan } from '../engine/gpu/kernel-timing.ts';
import { type TimeOptions, type Timing, timeRunner } from '../engine/gpu/plan-timing.ts';
import type { Runner } from '../engine/gpu/runner.ts';
import { Graph } from '../engine/graph/graph.ts';
import type { Node, Value } from '../engine/ops/op.ts';
import { mutatedBy, variantsOf } from '../engine/ops/op-nodes.ts';
import { type StepScalars, stepWords, writeStep } from '../engine/ops/step-scalars.ts';
import type { Plan } from '../engine/plan/plan.ts';
import { graphOf, type KernelCase, type KernelGroup, type KernelSpec, numbersIn } from './kernel-case.ts';

/** Result of a variant; without times if it failed. */
export interface VariantResult extends Partial<Timing> {
  readonly variant: string;
  /** Maximum error of the outputs, max|x - ref| / max|ref|. */
  readonly error: number;
  readonly passed: boolean;
  /** Error message of a kernel that did not run. */
  readonly failure?: string;
}

/** Result of a kernel. */
export interface KernelResult {
  readonly name: string;
  readonly group: KernelGroup;
  readonly op: string;
  /** Family and sizes that reproduce the kernel. */
  readonly spec?: KernelSpec;
  /** Floating-point operations (0 if unknown) and bytes, each tensor read or written once. */
  readonly flops: number;
  readonly bytes: number;
  /** Set if the kernel is too large for its float64 reference. */
  readonly comparedWith?: ComparedWith;
  /**
   * Speed of the machine right after the kernel, relative to its peak. Below 0.8, other work disturbed the
   * kernel.
   */
  readonly speed?: number;
  /** The fastest first, failed ones last. */
  readonly variants: readonly VariantResult[];
}

/**
 * Maximum relative error of an f32 result. A float32 sum of 8,000 terms of mixed sign has less than a tenth
 * of it.
 */
export const maxError = 1e-4;

/** Maximum relative error of an f16 result: two units in the last place, 2 · 2^-10. */
const maxErrorOfF16 = 2e-3;

/** The node of a kernel in its own graph. */
export interface IsolatedKernel {
  readonly kernel: KernelCase;
  readonly node: Node;
  /**
   * A graph with a copy of the node. `names`: its names of the inputs and states, by the node's input values.
   */
  readonly graph: Graph;
  readonly names: ReadonlyMap<Value, string>;
}

/** A kernel and the data for its check. */
export interface PreparedKernel extends IsolatedKernel {
  /** Data of the inputs before the node runs. */
  readonly before: ReadonlyMap<Value, ArrayLike<number>>;
  readonly expected: readonly Expected[];
  readonly bytes: number;
  /** Set if the kernel is too large for its float64 reference. */
  readonly comparedWith?: ComparedWith;
}

/** The reference of a kernel that is too large for float64 (large-kernel.ts). */
export interface ComparedWith {
  /** The variant of the kernel on the same adapter. */
  readonly variant: string;
  /** Name of the smaller kernel at which this variant matches float64. */
  readonly kernel: string;
}

/** Isolates the node of a kernel. */
export function isolate(kernel: KernelCase): IsolatedKernel {
  const { node } = graphOf(kernel);
  return { kernel, node, ...singleNode(node) };
}

/**
 * An expected result: output or state `name` of the isolated graph, name of the tensor in the op, reference
 * data, and maximum relative error.
 */
export interface Expected {
  readonly name: string;
  readonly tensor: string;
  readonly data: ArrayLike<number>;
  readonly allowed: number;
}

/** Computes the float64 reference of a kernel, on the CPU. */
export function prepareKernel(kernel: KernelCase): PreparedKernel {
  const { graph: whole, node } = graphOf(kernel);
  const { before, after } = referenceData(whole, node, kernel);
  const isolated = { kernel, node, ...singleNode(node) };
  const expected = writtenBy(isolated).map(({ value, ...rest }) => ({
    ...rest,
    data: after.get(value) as Float64Array,
  }));
  return { ...isolated, before, expected, bytes: bytesMovedBy(isolated) };
}

/** Bytes of a kernel, each tensor read or written once. */
export function bytesMovedBy({ kernel, node }: IsolatedKernel): number {
  const touched = new Set([...node.inputs, ...node.outputs, ...mutatedBy(node)]);
  return kernel.bytes ?? [...touched].reduce((n, v) => n + bytesOf(v), 0);
}

/** The tensors that a node writes, outputs and changed inputs, with the error that is allowed in each. */
export const writtenBy = ({
  node,
  names,
}: IsolatedKernel): readonly (Omit<Expected, 'data'> & { value: Value })[] =>
  [...node.outputs, ...mutatedBy(node)].map((value) => {
    const i = node.outputs.indexOf(value);
    const name = i < 0 ? (names.get(value) as string) : `out${i}`;
    const tensor = (i < 0 ? node.inputNames[node.inputs.indexOf(value)] : node.outputNames[i]) ?? '';
    return { value, name, tensor, allowed: value.dtype === 'f16' ? maxErrorOfF16 : maxError };
  });

/** A plan of a kernel on the device, after its first run. */
export interface CheckedPlan {
  readonly runner: Runner;
  /** Maximum error, and whether all errors are allowed. */
  readonly error: number;
  readonly passed: boolean;
  /** The number with the maximum error, if that is not allowed. */
  readonly worst?: {
    readonly tensor: string;
    readonly index: number;
    readonly got: number;
    readonly want: number;
  };
  destroy(): void;
}

/**
 * Runs a plan of a kernel once and compares its results with the reference. Throws if it does not compile or
 * run.
 */
export async function checkPlan(device: Device, prepared: PreparedKernel, plan: Plan): Promise<CheckedPlan> {
  const { runner, result, destroy } = await runPlan(device, prepared, plan);
  try {
    let error = 0;
    let largest = 0;
    let worst: CheckedPlan['worst'];
    for (const { name, tensor, data, allowed } of prepared.expected) {
      const numbers = await result(name);
      const one = relativeError(numbers, data);
      error = Math.max(error, one);
      if (one <= allowed || one <= largest) continue;
      largest = one;
      worst = { tensor, ...furthest(numbers, data) };
    }
    return { runner, error, passed: !worst, worst, destroy };
  } catch (error) {
    destroy();
    throw error;
  }
}

/** A plan after its first run. */
export interface RanPlan {
  readonly runner: Runner;
  /** Numbers of an output or state of the graph. */
  result(name: string): Promise<ArrayLike<number>>;
  destroy(): void;
}

/** Runs a plan of a kernel once on its data. Throws if it does not compile or run. */
export async function runPlan(
  device: Device,
  { names, before }: Pick<PreparedKernel, 'names' | 'before'>,
  plan: Plan,
): Promise<RanPlan> {
  const engine = new GpuEngine(device);
  try {
    const [runner] = (await engine.preparePlans([plan])) as [Runner];
    for (const [value, name] of names)
      load(engine, runner, name, value, before.get(value) as ArrayLike<number>);
    const got = await runner.run();
    return {
      runner,
      result: async (name) => numbersOf(got[name] ?? (await engine.read(name)).data),
      destroy: () => engine.destroy(),
    };
  } catch (error) {
    engine.destroy();
    throw error;
  }
}

/** The number with the maximum error; NaN counts as the maximum. */
function furthest(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
): { index: number; got: number; want: number } {
  let index = 0;
  let largest = -1;
  for (let i = 0; i < want.length && largest < Number.POSITIVE_INFINITY; i++) {
    const difference = Math.abs((got[i] as number) - (want[i] as number));
    if (difference <= largest) continue;
    index = i;
    largest = difference >= 0 ? difference : Number.POSITIVE_INFINITY;
  }
  return { index, got: got[index] as number, want: want[index] as number };
}

/**
 * Checks and times all variants of a kernel. A failed variant is part of the result; a lost device throws.
 */
export async function measurePrepared(
  device: Device,
  prepared: PreparedKernel,
  options: TimeOptions,
): Promise<KernelResult> {
  const variants: VariantResult[] = [];
  let flops = 0;
  let best = Number.POSITIVE_INFINITY;
  for (const variant of variantsOf(prepared.node, device.traits)) {
    const { name } = variant;
    let checked: CheckedPlan | undefined;
    try {
      const plan = variantPlan(prepared.graph, variant, device.traits);
      flops = Math.max(flops, plan.flops);
      checked = await checkPlan(device, prepared, plan);
      const { error, passed, runner } = checked;
      const timed = passed
        ? await timeRunner(device, runner, { ...options, skipAbove: 3 * best })
        : undefined;
      if (timed) best = Math.min(best, timed.ms);
      variants.push({ variant: name, error, passed, ...timed });
    } catch (error) {
      device.check();
      variants.push({
        variant: name,
        error: Number.POSITIVE_INFINITY,
        passed: false,
        failure: messageOf(error),
      });
    } finally {
      checked?.destroy();
    }
  }
  return resultOf(prepared, flops, variants);
}

/** The result of a kernel; `flops` are those of its plan. */
export function resultOf(
  { kernel, node, bytes, comparedWith }: PreparedKernel,
  flops: number,
  variants: readonly VariantResult[],
): KernelResult {
  const slow = Number.POSITIVE_INFINITY;
  const { name, group, spec } = kernel;
  return {
    name,
    group,
    op: node.op.name,
    spec,
    flops: kernel.flops ?? flops,
    bytes,
    comparedWith,
    variants: [...variants].sort((a, b) => (a.ms ?? slow) - (b.ms ?? slow)),
  };
}

/** Reference data: inputs of the node before it runs, and its outputs and mutated inputs after it. */
function referenceData(whole: Graph, node: Node, kernel: KernelCase) {
  const cpu = createCpuExecutor(whole);
  const noise = random(1);
  const caseData = kernel.data?.() ?? {};
  const dataOf = (name: string, v: Value): ArrayLike<number> => {
    const length = sizeOf(v.shape);
    if (name === 'step') return stepData(kernel.step);
    const given = numbersIn(caseData, v);
    if (v.dtype !== 'f32' && v.dtype !== 'f16') return given ?? new Uint32Array(length);
    const data = given ?? Float32Array.from({ length }, () => noise.uniform() - 0.5);
    return v.dtype === 'f16' ? Float64Array.from(data, roundToF16) : data;
  };
  const inputs = Object.fromEntries([...whole.inputs].map(([name, v]) => [name, dataOf(name, v)]));
  for (const [name, v] of whole.states) cpu.state(name).set(dataOf(name, v));
  // Copies of the states, since the node may change them; no other node of these graphs does.
  const states = new Map([...whole.states.values()].map((v) => [v, cpu.dataOf(v).slice()]));
  cpu.run(inputs);
  const before = new Map(node.inputs.map((v) => [v, states.get(v) ?? cpu.dataOf(v)]));
  const after = new Map([...node.outputs, ...mutatedBy(node)].map((v) => [v, cpu.dataOf(v)]));
  return { before, after };
}

/** The u32 words of the input `step`. `own` replaces default values. */
export function stepData(own: Partial<StepScalars> = {}): number[] {
  const words = new Uint32Array(stepWords);
  writeStep(words, { learningRate: 1e-3, tokenWeight: 1e-3, seed: 1, step: 1, keep: 0, position: 0, ...own });
  return [...words];
}

/** A graph with only this node. All inputs except the step are states, so that they are uploaded once. */
function singleNode(node: Node) {
  const graph = new Graph();
  const names = new Map<Value, string>();
  const inputs = node.inputs.map((v, i) => {
    const name = names.get(v) ?? (v.name === 'step' ? 'step' : `in${i}`);
    names.set(v, name);
    return name === 'step' ? graph.input(name, v.dtype, v.shape) : graph.state(name, v.dtype, v.shape);
  });
  for (const [i, v] of graph.copy(node, inputs).outputs.entries()) graph.output(`out${i}`, v);
  return { graph, names };
}

function load(engine: GpuEngine, runner: Runner, name: string, value: Value, from: ArrayLike<number>): void {
  const data =
    value.dtype === 'f16' ? toFloat16(Float32Array.from(from)) : allocate(value.dtype, from.length);
  if (value.dtype !== 'f16') data.set(from);
  if (name === 'step') runner.inputs.step?.set(data);
  else engine.write(name, data);
}
