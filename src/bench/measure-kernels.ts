// The measurement of `heddle bench` and of the kernel lab: the roofs of the device, then each kernel, checked before it
// is timed.

import { HeddleError } from '../core/errors.ts';
import type { Device } from '../gpu/device.ts';
import type { TimeOptions } from '../gpu/plan-timing.ts';
import { measureRoofs, type Roofs } from '../gpu/roofs.ts';
import { checkKernel, type KernelResult } from './check-kernel.ts';
import type { KernelCase } from './kernel-case.ts';
import { conformanceKernelCases, kernelCases, smallKernelCases } from './kernel-cases.ts';

/** Kernel sets by name. */
export const kernelSets = { all: kernelCases, small: smallKernelCases, conformance: conformanceKernelCases } as const;
export type KernelSet = keyof typeof kernelSets;

/** Options of `measure`. */
export interface MeasureOptions extends TimeOptions {
  readonly set: KernelSet;
  /** Only kernels whose name contains this text, ignoring case. */
  readonly filter: string;
  readonly roofs: boolean;
}

/** Result of `measure`. */
export interface Measured {
  readonly roofs?: Roofs;
  readonly kernels: readonly KernelResult[];
}

/** Callbacks of `measure`. */
export interface Listener {
  readonly signal: AbortSignal;
  /** `done` of `of` tasks are done, `next` begins. */
  onProgress(done: number, of: number, next: string): void;
  onRoofs?(roofs: Roofs): void;
  onKernel?(kernel: KernelResult): void;
}

/** The kernels of a set whose names contain `filter`. */
export function chosenKernels(set: KernelSet, filter: string): readonly KernelCase[] {
  const wanted = filter.trim().toLowerCase();
  return kernelSets[set].filter(({ name }) => name.toLowerCase().includes(wanted));
}

/** Bytes of the copy that measures bandwidth, by kernel set. */
const copyBytes = { all: 128 * 2 ** 20, small: 32 * 2 ** 20, conformance: 32 * 2 ** 20 } as const;

/**
 * Checks and times kernels. Throws a HeddleError if no kernel matches or the device is lost, and the reason of the
 * signal if it is aborted.
 */
export async function measure(device: Device, options: MeasureOptions, listener: Listener): Promise<Measured> {
  const cases = chosenKernels(options.set, options.filter).filter(({ needs }) => !needs || device.traits[needs]);
  if (cases.length === 0)
    throw new HeddleError(`No kernel of the set ${options.set} has "${options.filter}" in its name.`);
  const of = cases.length + (options.roofs ? 1 : 0);
  let done = 0;
  const next = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    listener.signal.throwIfAborted();
    listener.onProgress(done, of, name);
    const result = await work();
    done++;
    return result;
  };
  const time = { span: options.span, rounds: options.rounds };
  let roofs: Roofs | undefined;
  if (options.roofs) {
    roofs = await next('bandwidth and peak', () => measureRoofs(device, { ...time, bytes: copyBytes[options.set] }));
    listener.onRoofs?.(roofs);
  }
  const kernels: KernelResult[] = [];
  for (const kernel of cases) {
    const result = await next(kernel.name, () => checkKernel(device, kernel, time));
    kernels.push(result);
    listener.onKernel?.(result);
  }
  return { ...(roofs && { roofs }), kernels };
}
