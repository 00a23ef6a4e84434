// The measurement of `heddle bench` and of the kernel lab: the roofs of the device, then each kernel
// (checked, then timed), then the roofs again.

import { HeddleError } from '../core/errors.ts';
import { type Message, msg } from '../core/message.ts';
import type { Device } from '../engine/gpu/device.ts';
import type { TimeOptions } from '../engine/gpu/plan-timing.ts';
import type { Roofs } from '../engine/gpu/roofs.ts';
import { type KernelResult, measurePrepared } from './check-kernel.ts';
import type { KernelCase, KernelSpec } from './kernel-case.ts';
import { conformanceKernelCases, kernelCases, smallKernelCases } from './kernel-cases.ts';
import { kernelOf } from './kernel-families.ts';
import { checkDuration, checkSize, prepareLargeKernel } from './large-kernel.ts';
import { measureRoofsRepeatedly, type RepeatedRoofs, type RoofSpread } from './repeated-roofs.ts';
import { disturbance, maxSpread } from './spread.ts';

/** Kernel sets by name. */
const kernelSets = {
  all: kernelCases,
  small: smallKernelCases,
  conformance: conformanceKernelCases,
} as const;
/** Name of a set of kernels. */
export type KernelSet = keyof typeof kernelSets;

/** Options of `measure`. */
export interface MeasureOptions extends TimeOptions {
  readonly set: KernelSet;
  /** Only kernels whose name contains this text, ignoring case. */
  readonly filter: string;
  /** Kernels at given sizes, instead of a set. */
  readonly specs?: readonly KernelSpec[];
  readonly roofs: boolean;
}

/** Result of `measure`. */
export interface Measured {
  readonly roofs?: Roofs;
  readonly roofSpread?: RoofSpread;
  readonly kernels: readonly KernelResult[];
}

/** Callbacks of `measure`. */
export interface Listener {
  readonly signal: AbortSignal;
  /** `done` of `total` tasks are done; `next` begins. */
  onProgress(done: number, total: number, next: Message | string): void;
  /** The roofs, before and after the kernels. */
  onRoofs?(roofs: Roofs): void;
  onKernel?(kernel: KernelResult): void;
}

/** The kernels of a set whose names contain `filter`. */
export function chosenKernels(set: KernelSet, filter: string): readonly KernelCase[] {
  const wanted = filter.trim().toLowerCase();
  return kernelSets[set].filter(({ name }) => name.toLowerCase().includes(wanted));
}

/** Bytes of the copy that measures bandwidth, by kernel set. */
export const copyBytes = { all: 128 * 2 ** 20, small: 32 * 2 ** 20, conformance: 32 * 2 ** 20 } as const;

/** The cases of the options. Throws a HeddleError if there are none, or a kernel is too large. */
function casesOf(device: Device, { set, filter, specs }: MeasureOptions): readonly KernelCase[] {
  if (specs) {
    const cases = specs.map(kernelOf);
    for (const kernel of cases) checkSize(kernel, device.traits);
    return cases;
  }
  const cases = chosenKernels(set, filter).filter(({ needs }) => !needs || device.traits[needs]);
  if (cases.length === 0)
    throw new HeddleError(msg`No kernel of the set ${set} has "${filter}" in its name.`);
  return cases;
}

/**
 * Checks and times kernels. Throws a HeddleError if no kernel matches or the device is lost, and the reason
 * of the signal if it is aborted.
 */
export async function measure(
  device: Device,
  options: MeasureOptions,
  listener: Listener,
): Promise<Measured> {
  const cases = casesOf(device, options);
  const total = cases.length + (options.roofs ? 2 : 0);
  let done = 0;
  const next = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    listener.signal.throwIfAborted();
    listener.onProgress(done, total, name);
    const result = await work();
    done++;
    return result;
  };
  const time = { span: options.span, rounds: options.rounds };
  const repeated = options.roofs
    ? await next('bandwidth and peak', () =>
        measureRoofsRepeatedly(device, { ...time, bytes: copyBytes[options.set] }),
      )
    : undefined;
  try {
    if (repeated) {
      listener.onRoofs?.(repeated.roofs);
      for (const kernel of cases) checkDuration(kernel, repeated.roofs, device.traits);
    }
    const kernels: KernelResult[] = [];
    const measureOne = steadyMeter(device, time, repeated);
    for (const kernel of cases) {
      const result = await next(kernel.name, () => measureOne(kernel));
      kernels.push(result);
      listener.onKernel?.(result);
    }
    if (!repeated) return { kernels };
    const roofSpread = await next('bandwidth and peak again', () => repeated.finish());
    listener.onRoofs?.(repeated.roofs);
    return { roofs: repeated.roofs, roofSpread, kernels };
  } finally {
    repeated?.destroy();
  }
}

/** Maximum number of attempts per kernel, and maximum milliseconds of all repeats of a run. */
const attempts = 3;
const retryTime = 10_000;

/**
 * Returns a function that measures a kernel, repeatedly if other work disturbs it; it returns the least
 * disturbed attempt.
 */
function steadyMeter(
  device: Device,
  time: TimeOptions,
  roofs: RepeatedRoofs | undefined,
): (kernel: KernelCase) => Promise<KernelResult> {
  let left = retryTime;
  return async (kernel) => {
    const prepared = await prepareLargeKernel(device, kernel);
    const measureOnce = async () => {
      const result = await measurePrepared(device, prepared, time);
      return roofs ? { ...result, speed: await roofs.speed() } : result;
    };
    let best = await measureOnce();
    for (let i = 1; roofs && i < attempts && left > 0 && disturbance(best) > maxSpread; i++) {
      const start = performance.now();
      const again = await measureOnce();
      left -= performance.now() - start;
      if (disturbance(again) < disturbance(best)) best = again;
    }
    return best;
  };
}
