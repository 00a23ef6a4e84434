// heddle bench: measures the peak rates of the adapter, kernels (each is first compared with the float64
// reference), and training steps. src/bench/ defines the measurements.

import type { KernelResult } from '../../bench/check-kernel.ts';
import { type Conformance, conformanceOf } from '../../bench/conformance.ts';
import type { KernelSpec } from '../../bench/kernel-case.ts';
import { describeMachine, type Machine } from '../../bench/machine.ts';
import { type KernelSet, type Measured, measure } from '../../bench/measure-kernels.ts';
import type { RoofSpread } from '../../bench/repeated-roofs.ts';
import { benchStep, type StepResult, type StepShape } from '../../bench/step-bench.ts';
import { adapterName } from '../../core/host-name.ts';
import { measurePeakGflops, type Roofs } from '../../engine/gpu/roofs.ts';
import type { PresetName } from '../../model/presets.ts';
import type { Job } from '../../session/job.ts';

/** Arguments of the job; plain JSON. */
export interface BenchArguments {
  readonly kernels: boolean;
  /** Set of kernels. */
  readonly set: KernelSet;
  /** Only kernels whose name contains this; all if empty. */
  readonly filter: string;
  /** Kernels at given sizes, instead of a set. */
  readonly specs?: readonly KernelSpec[];
  readonly steps: readonly { readonly preset: PresetName; readonly shape: StepShape }[];
  /** Number of steps to time for each preset. */
  readonly timedSteps: number;
  /** Milliseconds of one measurement of a kernel, and number of measurements. */
  readonly span: number;
  readonly rounds: number;
}

/** All measurements; plain JSON. */
export interface BenchResult {
  readonly backend: string;
  readonly adapter: string;
  readonly machine: Machine;
  /**
   * If kernels were timed: the peak rates of the adapter with their measurements, and whether the adapter
   * conforms.
   */
  readonly roofs?: Roofs;
  readonly roofSpread?: RoofSpread;
  readonly conformance?: Conformance;
  readonly kernels: readonly KernelResult[];
  readonly steps: readonly StepResult[];
}

/** Runs the benchmark. A kernel with wrong results is not timed, but in the result. */
export const bench: Job<BenchArguments, BenchResult> = async (args, session) => {
  const { span, rounds, timedSteps, filter, set, specs } = args;
  const device = await session.device.open();
  const machine = await describeMachine(await session.device.gpu());
  const { kernels, roofs, roofSpread }: Measured = args.kernels
    ? await measure(
        device,
        { set, filter, specs, span, rounds, roofs: true },
        {
          signal: session.signal,
          onProgress: (done, total, text) =>
            session.emit({ type: 'progress', task: 'kernels', done, total, text }),
        },
      )
    : { kernels: [] };
  const peakOf = async () =>
    (await session.kernels.peakGflops()) ?? roofs?.peak.rate ?? (await measurePeakGflops(device));
  const peak = args.steps.length > 0 ? await peakOf() : undefined;
  const steps: StepResult[] = [];
  for (const { preset, shape } of args.steps) {
    session.signal.throwIfAborted();
    session.emit({
      type: 'progress',
      task: 'steps',
      done: steps.length,
      total: args.steps.length,
      text: preset,
    });
    const engine = await session.engine();
    try {
      steps.push(await benchStep(device, engine, preset, shape, timedSteps, peak));
    } finally {
      engine.destroy();
    }
  }
  return {
    backend: session.backend,
    adapter: adapterName(device.adapter),
    machine,
    roofs,
    roofSpread,
    conformance: args.kernels ? conformanceOf(machine, kernels) : undefined,
    kernels,
    steps,
  };
};
