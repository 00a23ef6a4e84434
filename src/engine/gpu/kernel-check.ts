// Checks a kernel variant before it is used: its results on sample data must be those of the naive variant on
// the same adapter, within a tolerance. A bug of a driver or of an untested kernel then costs speed, never
// correctness.

import { HeddleError, messageOf } from '../../core/errors.ts';
import { type Message, msg } from '../../core/message.ts';
import { bytesOf, type Shape } from '../../core/tensor.ts';
import type { Node, Value, Variant } from '../ops/op.ts';
import { naiveOf, variantKey } from '../plan/kernel-choices.ts';
import { makePlan } from '../plan/planner.ts';
import type { Device } from './device.ts';
import {
  type Expected,
  type IsolatedNode,
  isolate,
  LoadedPlan,
  sampleOf,
  variantPlan,
  writtenBy,
} from './isolated-node.ts';
import { kernelKey } from './pipelines.ts';

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
const verdicts = new WeakMap<GPUDevice, Map<string, Message | string>>();

/**
 * Returns a function that says what is wrong with a variant of a node; '' if nothing. Kernels that passed
 * before, on a node of another size, are not run again. It throws if the device is lost.
 */
export function createChecker(device: Device): (node: Node, variant: Variant) => Promise<Message | string> {
  const known = verdicts.get(device.gpu) ?? new Map<string, Message | string>();
  verdicts.set(device.gpu, known);
  /** The last checked node, and the results of its naive variant. */
  let last:
    | { readonly key: string; readonly excerpt: IsolatedNode; readonly expected: Expected[] }
    | undefined;
  return async (node, variant) => {
    const naive = naiveOf(node, device.traits);
    if (variant.name === naive.name) return '';
    const id = kernelsOf(node, variant, device);
    const before = known.get(id);
    if (before !== undefined) return before;
    const key = variantKey(node);
    if (last?.key !== key) {
      const excerpt = excerptOf(node, device);
      last = { key, excerpt, expected: await inErrorScopes(device, () => resultsOf(device, excerpt, naive)) };
    }
    const { excerpt, expected } = last;
    const verdict = await inErrorScopes(device, () =>
      compare(device, excerpt, variant, expected, naive),
    ).catch((error: unknown) => {
      device.check();
      if (error instanceof HeddleError && error.kind === 'memory') throw error;
      return messageOf(error);
    });
    known.set(id, verdict);
    return verdict;
  };
}

/** Key of the compiled kernels of a variant; nodes of different sizes can share it. */
function kernelsOf(node: Node, variant: Variant, { traits }: Device): string {
  const plan = variantPlan(isolate(node), variant, traits);
  return [node.op.name, ...plan.passes.map(kernelKey)].join('\n');
}

/** Runs `work`. Throws its error, or else the first error that WebGPU reports meanwhile. */
async function inErrorScopes<T>({ gpu }: Device, work: () => Promise<T>): Promise<T> {
  gpu.pushErrorScope('internal');
  gpu.pushErrorScope('validation');
  const result = work();
  const [ran, ...errors] = await Promise.all([
    result.then(
      (value) => ({ value }),
      (reason: unknown) => ({ reason }),
    ),
    result.catch(() => {}).then(() => gpu.popErrorScope()),
    result.catch(() => {}).then(() => gpu.popErrorScope()),
  ]);
  const error = errors.find((e) => e !== null);
  if ('reason' in ran) throw ran.reason;
  if (error) throw new Error(`WebGPU error: ${error.message}`);
  return ran.value;
}

/** Runs an isolated node once as a variant, on sample data and poisoned memory. */
async function runVariant(device: Device, isolated: IsolatedNode, variant: Variant): Promise<LoadedPlan> {
  const plan = variantPlan(isolated, variant, device.traits);
  const loaded = await LoadedPlan.load(device, plan, sampleOf(isolated), { poison: true });
  try {
    await loaded.run();
    return loaded;
  } catch (error) {
    loaded.destroy();
    throw error;
  }
}

/** The results of the naive variant, with the errors that are allowed in those of others. */
async function resultsOf(device: Device, isolated: IsolatedNode, naive: Variant): Promise<Expected[]> {
  const ran = await runVariant(device, isolated, naive);
  try {
    const written = writtenBy(isolated);
    const isF16 = written.some(({ value }) => value.dtype === 'f16');
    const expected: Expected[] = [];
    for (const { name, tensor, value } of written) {
      const allowed = value.dtype[0] !== 'f' ? 0 : isF16 ? tolerances.f16 : tolerances.f32;
      expected.push({ name, tensor, allowed, data: await ran.result(name) });
    }
    return expected;
  } finally {
    ran.destroy();
  }
}

/** Returns what is wrong with the results of a variant; '' if nothing. Integers must be equal. */
async function compare(
  device: Device,
  isolated: IsolatedNode,
  variant: Variant,
  expected: readonly Expected[],
  naive: Variant,
): Promise<Message | string> {
  const ran = await runVariant(device, isolated, variant);
  try {
    for await (const { error, allowed, passed } of ran.compare(expected, true))
      if (!passed)
        return msg`it differs from ${naive.name} by ${error.toExponential(1)} of the largest value, allowed ${allowed}`;
    return '';
  } finally {
    ran.destroy();
  }
}

/**
 * Isolates a node, with smaller axes if it is too much work. Axes of 256 or more are halved
 * first; their remainder by 128 stays, so that tiles have the same edges. Then the first axis of tensors with
 * three or more axes is halved. An axis stays as it is if the op's shape rule rejects a smaller one.
 */
function excerptOf(node: Node, { traits }: Device): IsolatedNode {
  const limit = traits.software ? maxWork.software : maxWork.gpu;
  let shapes = new Map<Value, Shape>(node.inputs.map((v) => [v, v.shape]));
  let excerpt = isolate(node, shapes);
  for (let work = workOf(excerpt); work > limit; ) {
    const smaller = shrunk(node, shapes, (next) => {
      const one = isolate(node, next);
      return workOf(one) < work ? one : undefined;
    });
    if (!smaller) break;
    ({ shapes, excerpt } = smaller);
    work = workOf(excerpt);
  }
  return excerpt;

  function workOf({ graph, copy }: IsolatedNode): number {
    const all = [...graph.inputs.values(), ...graph.states.values(), ...copy.outputs];
    const elements = all.reduce((sum, v) => sum + bytesOf(v) / 4, 0);
    return Math.max(makePlan(graph, { traits }).flops, workPerElement * elements);
  }
}

/** The first way to shrink all axes of one size that `accept` takes; the largest axes first. */
function shrunk(
  { inputs, inputNames }: Node,
  shapes: ReadonlyMap<Value, Shape>,
  accept: (shapes: Map<Value, Shape>) => IsolatedNode | undefined,
): { shapes: Map<Value, Shape>; excerpt: IsolatedNode } | undefined {
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
      const excerpt = accept(next);
      if (excerpt) return { shapes: next, excerpt };
    } catch {} // the op rejects these shapes
  }
  return undefined;
}

/** Different numbers, largest first. */
const unique = (numbers: readonly number[]): number[] => [...new Set(numbers)].sort((a, b) => b - a);
