// Kernels that are too large for their float64 reference on the CPU. Their results are compared with those of
// the naive kernel on the same adapter and the same data; at smaller sizes the naive kernel is compared with
// float64.

import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { bytesOf } from '../core/tensor.ts';
import type { Device } from '../engine/gpu/device.ts';
import { type Expected, LoadedPlan, sampleOf, variantPlan, writtenBy } from '../engine/gpu/isolated-node.ts';
import type { Roofs } from '../engine/gpu/roofs.ts';
import { type DeviceTraits, defaultTraits } from '../engine/ops/device-traits.ts';
import { naiveOf, variantNamed } from '../engine/plan/kernel-choices.ts';
import { makePlan } from '../engine/plan/planner.ts';
import {
  allowedError,
  bytesMovedBy,
  checkPlan,
  type IsolatedKernel,
  isolateKernel,
  type PreparedKernel,
  prepareKernel,
  stepOfKernel,
  stored,
} from './check-kernel.ts';
import { graphOf, type KernelCase, type KernelSpec, numbersIn } from './kernel-case.ts';
import { kernelFamilies, kernelOf } from './kernel-families.ts';
import type { KernelFamily } from './kernel-family.ts';

/** Maximum operations and bytes of a case for a float64 reference, which then takes seconds, not minutes. */
const maxReference = { flops: 8e9, bytes: 2 ** 30 } as const;

/**
 * Limits of the references in `prepareLargeKernel`: for a kernel, and for the smaller kernel that replaces
 * it.
 */
const references = { full: maxReference, small: { flops: 1e9, bytes: 2 ** 26 } } as const;

/** Maximum bytes of all tensors: the page has them in memory three times while it compares results. */
const maxBytes = 5 * 2 ** 30;

/**
 * Maximum seconds of a run at the measured peak of the adapter. The naive kernel takes ten times as long or
 * more, and drivers end a dispatch of many seconds.
 */
const maxSeconds = 0.25;

interface Work {
  readonly flops: number;
  readonly bytes: number;
}

/** Operations and bytes of the whole graph of a case, including the forward kernel of a backward kernel. */
function workOf(kernel: KernelCase, traits: DeviceTraits): Work {
  const { graph } = graphOf(kernel);
  const values = [
    ...graph.inputs.values(),
    ...graph.states.values(),
    ...graph.nodes.flatMap((n) => n.outputs),
  ];
  return { flops: makePlan(graph, { traits }).flops, bytes: values.reduce((n, v) => n + bytesOf(v), 0) };
}

const exceeds = ({ flops, bytes }: Work, limit: Work): boolean => flops > limit.flops || bytes > limit.bytes;

const amount = (n: number): string => (n / 1e9).toLocaleString('en', { maximumFractionDigits: 1 });

/**
 * Throws a HeddleError if an adapter cannot run a kernel: a feature is missing, a tensor or their sum is too
 * large.
 */
export function checkSize(kernel: KernelCase, traits = defaultTraits): void {
  if (kernel.needs && !traits[kernel.needs])
    throw new HeddleError(
      msg`${kernel.name} needs ${kernel.needs}, which this adapter does not have; choose f32.`,
    );
  const { bytes } = workOf(kernel, traits);
  if (bytes > maxBytes)
    throw new HeddleError(
      msg`${kernel.name} has tensors of ${amount(bytes)} GB, at most ${amount(maxBytes)} GB are possible: use smaller sizes.`,
    );
}

/**
 * Throws a HeddleError if a run of a kernel takes longer than 0.25 s at the measured peak of the adapter.
 * Kernels that have a float64 reference are always possible.
 */
export function checkDuration(
  kernel: KernelCase,
  { peak }: Pick<Roofs, 'peak'>,
  traits = defaultTraits,
): void {
  const { flops } = makePlan(isolateKernel(kernel).graph, { traits });
  const seconds = flops / peak.rate / 1e9;
  if (flops <= maxReference.flops || seconds <= maxSeconds) return;
  const maxFlops = Math.max(maxReference.flops, maxSeconds * peak.rate * 1e9);
  throw new HeddleError(
    msg`${kernel.name} has ${amount(flops)} GFLOP. At the ${amount(peak.rate * 1e9)} GFLOP/s that were measured on this adapter a run takes ${seconds.toFixed(1)} s; at most ${amount(maxFlops)} GFLOP are possible: use smaller sizes.`,
  );
}

/**
 * Prepares the check of a kernel against its float64 reference or, if that takes minutes, the results of the
 * naive kernel. Throws a HeddleError if the naive kernel does not match float64 at smaller sizes.
 */
export async function prepareLargeKernel(
  device: Device,
  kernel: KernelCase,
  limits: { readonly full: Work; readonly small: Work } = references,
): Promise<PreparedKernel> {
  const { spec } = kernel;
  if (!exceeds(workOf(kernel, device.traits), limits.full)) return prepareKernel(kernel);
  const isolated = isolateKernel(kernel);
  const naive = naiveOf(isolated.node, device.traits);
  const small = smallerKernel(spec, device.traits, limits.small);
  await checkNaive(device, small, naive.name);
  const data = dataOf(isolated);
  const ran = await LoadedPlan.load(device, variantPlan(isolated, naive, device.traits), data);
  try {
    await ran.run();
    const expected: Expected[] = [];
    for (const { value, name, tensor } of writtenBy(isolated))
      expected.push({ name, tensor, data: await ran.result(name), allowed: allowedError(value.dtype) });
    const comparedWith = { variant: naive.name, kernel: small.name };
    return { ...isolated, data, expected, bytes: bytesMovedBy(isolated), comparedWith };
  } finally {
    ran.destroy();
  }
}

/** Compares the naive variant with float64. Throws a HeddleError if it differs. */
async function checkNaive(device: Device, small: KernelCase, name: string): Promise<void> {
  const { traits } = device;
  const prepared = prepareKernel(small);
  const variant = variantNamed(prepared.node, name, traits) ?? naiveOf(prepared.node, traits);
  const { passed, error, destroy } = await checkPlan(
    device,
    prepared,
    variantPlan(prepared, variant, traits),
  );
  destroy();
  if (!passed)
    throw new HeddleError(
      msg`the kernel ${variant.name}, with which larger sizes are compared, differs from float64 by ${error.toExponential(1)} on this adapter.`,
      { area: small.name },
    );
}

/** The same kernel at smaller sizes, whose float64 reference takes a second or two. */
function smallerKernel(spec: KernelSpec, traits: DeviceTraits, limit: Work): KernelCase {
  let kernel = kernelOf(spec);
  for (let work = workOf(kernel, traits); exceeds(work, limit); ) {
    const smaller = halved(kernel.spec).find((next) => next.work.bytes < work.bytes);
    if (!smaller) break;
    ({ kernel, work } = smaller);
  }
  return kernel;

  /**
   * The kernel with each of its sizes halved, the largest size first; without those that the family rejects.
   */
  function halved({ family, values = {} }: KernelSpec): { kernel: KernelCase; work: Work }[] {
    const { fields } = kernelFamilies[family] as KernelFamily;
    const sizes = Object.entries(fields).flatMap(([name, field]) =>
      'values' in field ? [] : [{ ...field, name, value: values[name] as number }],
    );
    sizes.sort((a, b) => b.value - a.value);
    return sizes.flatMap(({ name, value, min, step }) => {
      const half = Math.floor(value / 2 / step) * step;
      if (half < min) return [];
      try {
        const smaller = kernelOf({ family, values: { ...values, [name]: half } });
        return [{ kernel: smaller, work: workOf(smaller, traits) }];
      } catch (error) {
        if (error instanceof HeddleError) return [];
        throw error;
      }
    });
  }
}

/** Data of the inputs of a kernel: from the case, else the op's samples, else noise. */
function dataOf(isolated: IsolatedKernel): PreparedKernel['data'] {
  const { kernel, node, copy } = isolated;
  const data = new Map(sampleOf(isolated));
  const caseData = kernel.data?.() ?? {};
  for (const [i, value] of node.inputs.entries()) {
    const { name = '' } = copy.inputs[i] ?? {};
    const given = value.kind === 'result' ? undefined : numbersIn(caseData, value);
    if (name === 'step') data.set(name, stepOfKernel(kernel.step));
    else if (given) data.set(name, stored(value.dtype, given));
  }
  return data;
}
