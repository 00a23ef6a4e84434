// Checks and times one kernel on the device: compares each of its variants with the float64 reference, then
// times it.

import { messageOf } from '../core/errors.ts';
import { roundToF16, toFloat16 } from '../core/float16.ts';
import { random } from '../core/random.ts';
import { allocate, bytesOf, type DType, sizeOf, type TensorData } from '../core/tensor.ts';
import { createCpuExecutor } from '../engine/cpu/executor.ts';
import type { Device } from '../engine/gpu/device.ts';
import {
  type Expected,
  type IsolatedNode,
  isolate,
  LoadedPlan,
  type NodeData,
  variantPlan,
  writtenBy,
} from '../engine/gpu/isolated-node.ts';
import { type TimeOptions, type Timing, timeRunner } from '../engine/gpu/plan-timing.ts';
import type { Runner } from '../engine/gpu/runner.ts';
import type { Graph } from '../engine/graph/graph.ts';
import type { Node, Value } from '../engine/ops/op.ts';
import { mutatedBy, variantsOf } from '../engine/ops/op-nodes.ts';
import { type StepScalars, stepData } from '../engine/ops/step-scalars.ts';
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

/** Maximum relative error of a result. */
export const allowedError = (dtype: DType): number => (dtype === 'f16' ? maxErrorOfF16 : maxError);

/** The node of a kernel in its own graph. */
export interface IsolatedKernel extends IsolatedNode {
  readonly kernel: KernelCase;
}

/** A kernel and the data for its check. */
export interface PreparedKernel extends IsolatedKernel {
  /** Data of the inputs before the node runs. */
  readonly data: NodeData;
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
export const isolateKernel = (kernel: KernelCase): IsolatedKernel => ({
  kernel,
  ...isolate(graphOf(kernel).node),
});

/** Computes the float64 reference of a kernel, on the CPU. */
export function prepareKernel(kernel: KernelCase): PreparedKernel {
  const { graph: whole, node } = graphOf(kernel);
  const { before, after } = referenceData(whole, node, kernel);
  const isolated = { kernel, ...isolate(node) };
  const data = new Map(
    node.inputs.map((v, i) => [
      isolated.copy.inputs[i]?.name ?? '',
      stored(v.dtype, before.get(v) as Float64Array),
    ]),
  );
  const expected = writtenBy(isolated).map(({ value, name, tensor }) => ({
    name,
    tensor,
    data: after.get(value) as Float64Array,
    allowed: allowedError(value.dtype),
  }));
  return { ...isolated, data, expected, bytes: bytesMovedBy(isolated) };
}

/** Numbers as a tensor stores them. */
export function stored(dtype: DType, numbers: ArrayLike<number>): TensorData {
  if (dtype === 'f16') return toFloat16(Float32Array.from(numbers));
  const data = allocate(dtype, numbers.length);
  data.set(numbers);
  return data;
}

/** Bytes of a kernel, each tensor read or written once. */
export function bytesMovedBy({ kernel, node }: IsolatedKernel): number {
  const touched = new Set([...node.inputs, ...node.outputs, ...mutatedBy(node)]);
  return kernel.bytes ?? [...touched].reduce((n, v) => n + bytesOf(v), 0);
}

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
export async function checkPlan(
  device: Device,
  { data, expected }: Pick<PreparedKernel, 'data' | 'expected'>,
  plan: Plan,
): Promise<CheckedPlan> {
  const ran = await LoadedPlan.load(device, plan, data);
  try {
    await ran.run();
    let error = 0;
    let largest = 0;
    let worst: CheckedPlan['worst'];
    for await (const one of ran.compare(expected)) {
      error = Math.max(error, one.error);
      if (one.passed || one.error <= largest) continue;
      largest = one.error;
      worst = { tensor: one.tensor, ...furthest(one.got, one.data) };
    }
    return { runner: ran.runner, error, passed: !worst, worst, destroy: () => ran.destroy() };
  } catch (error) {
    ran.destroy();
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
      const plan = variantPlan(prepared, variant, device.traits);
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
    if (name === 'step') return stepOfKernel(kernel.step);
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

/** The input `step`. `own` replaces default values. */
export const stepOfKernel = (own: Partial<StepScalars> = {}): Uint32Array =>
  stepData({ learningRate: 1e-3, tokenWeight: 1e-3, seed: 1, step: 1, keep: 0, position: 0, ...own });
