// Checks and times one kernel on the device: compares each of its variants with the float64 reference, then times it.

import { fromFloat16, toFloat16 } from '../core/float16.ts';
import { random } from '../core/random.ts';
import { allocate, bytesOf, sizeOf, type TensorData } from '../core/tensor.ts';
import { createCpuExecutor, relativeError } from '../cpu/executor.ts';
import type { Device } from '../gpu/device.ts';
import { Session } from '../gpu/gpu-session.ts';
import { type TimeOptions, type Timing, timeRunner } from '../gpu/plan-timing.ts';
import type { Runner } from '../gpu/runner.ts';
import { copyWithStorage } from '../graph/f16-storage.ts';
import { Graph } from '../graph/graph.ts';
import { mutatedBy, type Node, type Value, variantsOf } from '../ops/op.ts';
import { type StepScalars, stepWords, writeStep } from '../ops/step-scalars.ts';
import { variantKey } from '../plan/kernel-choices.ts';
import { makePlan } from '../plan/planner.ts';
import { graphOf, type KernelCase, type KernelGroup } from './kernel-case.ts';

/** Result of a variant; without times if it failed. */
export interface VariantResult extends Partial<Timing> {
  readonly variant: string;
  /** Error max|x - ref| / max|ref|, the largest of the outputs. */
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
  /** Floating-point operations (0 if unknown) and bytes, each tensor read or written once. */
  readonly flops: number;
  readonly bytes: number;
  /** The fastest first, failed ones last. */
  readonly variants: readonly VariantResult[];
}

/** Largest error allowed; float32 sums of 8,000 terms of both signs stay below a tenth of it. */
export const maxError = 1e-4;

/** Checks and times a kernel. A failed variant is part of the result; a lost device throws. */
export async function checkKernel(device: Device, kernel: KernelCase, options: TimeOptions): Promise<KernelResult> {
  const { graph: whole, node } = graphOf(kernel);
  const data = referenceData(whole, node, kernel);
  const { graph, names, outputs } = singleNode(node);
  const key = variantKey(graph.nodes[0] as Node);
  const variants: VariantResult[] = [];
  let flops = 0;
  let best = Number.POSITIVE_INFINITY;
  for (const variant of variantsOf(node, device.traits)) {
    const session = new Session(device);
    try {
      const plan = makePlan(graph, { traits: device.traits, kernelChoices: { [key]: variant } });
      flops = Math.max(flops, plan.flops);
      const [runner] = (await session.prepare([plan])) as [Runner];
      for (const [value, name] of names) load(session, runner, name, value, data.before.get(value) as Float64Array);
      const got = await runner.run();
      let error = 0;
      for (const [name, want] of outputs(data.after))
        error = Math.max(error, relativeError(numbersOf(got[name] ?? (await session.read(name)).data), want));
      const passed = error <= maxError;
      const timed = passed ? await timeRunner(device, runner, { ...options, skipAbove: 3 * best }) : undefined;
      if (timed) best = Math.min(best, timed.ms);
      variants.push({ variant, error, passed, ...timed });
    } catch (error) {
      device.check();
      const failure = error instanceof Error ? error.message : String(error);
      variants.push({ variant, error: Number.POSITIVE_INFINITY, passed: false, failure });
    } finally {
      session.destroy();
    }
  }
  const slow = Number.POSITIVE_INFINITY;
  variants.sort((a, b) => (a.ms ?? slow) - (b.ms ?? slow));
  const touched = new Set([...node.inputs, ...node.outputs]);
  return {
    name: kernel.name,
    group: kernel.group,
    op: node.op.name,
    flops: kernel.flops ?? flops,
    bytes: kernel.bytes ?? [...touched, ...mutatedBy(node)].reduce((n, v) => n + bytesOf(v), 0),
    variants,
  };
}

/** Reference data: inputs of the node before it runs, and its outputs and mutated inputs after it. */
function referenceData(whole: Graph, node: Node, kernel: KernelCase) {
  const cpu = createCpuExecutor(whole);
  const noise = random(1);
  const dataOf = (name: string, v: Value): ArrayLike<number> => {
    const length = sizeOf(v.shape);
    if (name === 'step') return stepData(kernel.step);
    const given = kernel.data?.(name, length);
    if (given) return given;
    return v.dtype === 'f32' ? Float32Array.from({ length }, () => noise.uniform() - 0.5) : new Uint32Array(length);
  };
  const inputs = Object.fromEntries([...whole.inputs].map(([name, v]) => [name, dataOf(name, v)]));
  for (const [name, v] of whole.states) cpu.state(name).set(dataOf(name, v));
  // Copies of the states, since the node may change them; no other node of these graphs does.
  const states = new Map([...whole.states.values()].map((v) => [v, cpu.of(v).slice()]));
  cpu.run(inputs);
  const before = new Map(node.inputs.map((v) => [v, states.get(v) ?? cpu.of(v)]));
  const after = new Map([...node.outputs, ...mutatedBy(node)].map((v) => [v, cpu.of(v)]));
  return { before, after };
}

/** Words of the step input as numbers. */
function stepData(own: Partial<StepScalars> = {}): number[] {
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
  for (const [i, v] of copyWithStorage(graph, node, inputs).outputs.entries()) graph.output(`out${i}`, v);
  /** Reference data by the names of outputs and states on the device. */
  const outputs = (after: ReadonlyMap<Value, Float64Array>): [string, Float64Array][] =>
    [...after].map(([v, data]) => {
      const i = node.outputs.indexOf(v);
      return [i < 0 ? (names.get(v) as string) : `out${i}`, data];
    });
  return { graph, names, outputs };
}

function load(session: Session, runner: Runner, name: string, value: Value, from: Float64Array): void {
  const data = value.dtype === 'f16' ? toFloat16(Float32Array.from(from)) : allocate(value.dtype, from.length);
  if (value.dtype !== 'f16') data.set(from);
  if (name === 'step') runner.inputs.step?.set(data);
  else session.write(name, data);
}

/** Tensor data as numbers; float16 is stored as bits. */
const numbersOf = (data: TensorData): ArrayLike<number> => (data instanceof Uint16Array ? fromFloat16(data) : data);
