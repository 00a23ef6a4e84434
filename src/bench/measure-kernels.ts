// One course of measurements on one device: its roofs, then kernel after kernel, each checked before it is timed. `heddle bench` and
// the kernel lab both call this.

import { HeddleError } from '../core/errors.ts';
import type { Device } from '../gpu/device.ts';
import type { TimeOptions } from '../gpu/plan-timing.ts';
import { measureRoofs, type Roofs } from '../gpu/roofs.ts';
import { checkKernel, type KernelResult } from './check-kernel.ts';
import type { KernelCase } from './kernel-case.ts';
import { kernelCases, smallKernelCases } from './kernel-cases.ts';

/** Sets of kernels by name. */
export const kernelSets = { all: kernelCases, small: smallKernelCases } as const;
export type KernelSet = keyof typeof kernelSets;

/** Which kernels, and how long each is measured. */
export interface MeasureOptions extends TimeOptions {
  readonly set: KernelSet;
  /** Kernels whose name has this in it, whatever the case; all where empty. */
  readonly filter: string;
  readonly roofs: boolean;
}

/** What comes of it. */
export interface Measured {
  readonly roofs?: Roofs;
  readonly kernels: readonly KernelResult[];
}

/** What the caller hears while it lasts. */
export interface Listener {
  readonly signal: AbortSignal;
  /** `done` of `of` pieces of work are done, `next` begins. */
  onProgress(done: number, of: number, next: string): void;
  onRoofs?(roofs: Roofs): void;
  onKernel?(kernel: KernelResult): void;
}

/** The kernels of a set whose names hold `filter`. */
export function chosenKernels(set: KernelSet, filter: string): readonly KernelCase[] {
  const wanted = filter.trim().toLowerCase();
  return kernelSets[set].filter(({ name }) => name.toLowerCase().includes(wanted));
}

/** Bytes that the copy moves for the bandwidth: the small set is for adapters that are slow. */
const copied = { all: 128 * 2 ** 20, small: 32 * 2 ** 20 } as const;

/** Measures; rejects with a HeddleError where no kernel is chosen, with the signal's reason where it is aborted between two pieces of work, and where the device is lost. */
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
    roofs = await next('bandwidth and peak', () => measureRoofs(device, { ...time, bytes: copied[options.set] }));
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
