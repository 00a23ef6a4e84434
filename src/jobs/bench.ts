// heddle bench: single kernels, each checked against the float64 reference before it is timed, and whole training steps. What is
// timed and how is in bench/; this runs it on whatever host the job has.

import { checkKernel, type KernelResult } from '../../bench/check-kernel.ts';
import { kernelCases } from '../../bench/kernels.ts';
import { benchStep, type StepResult, type StepShape } from '../../bench/step.ts';
import { adapterName } from '../gpu/device.ts';
import type { PresetName } from '../model/config.ts';
import type { Job } from './job.ts';

/** What to time; plain JSON. */
export interface BenchArguments {
  /** Kernels whose name has one of these in it; all where empty. */
  readonly kernels: boolean;
  readonly filter: string;
  readonly steps: readonly { readonly preset: PresetName; readonly shape: StepShape }[];
  /** Steps that are timed at each preset. */
  readonly timedSteps: number;
  /** Milliseconds that one measurement of a kernel lasts, and how many there are. */
  readonly span: number;
  readonly rounds: number;
}

/** All figures; plain JSON. */
export interface BenchResult {
  readonly backend: string;
  readonly adapter: string;
  readonly kernels: readonly KernelResult[];
  readonly steps: readonly StepResult[];
}

/** Runs the benchmark. A kernel that is wrong is not timed, and stands in the result as such. */
export const bench: Job<BenchArguments, BenchResult> = async (args, context) => {
  const { span, rounds, timedSteps, filter } = args;
  const device = await context.device();
  const cases = args.kernels ? kernelCases.filter(({ name }) => name.toLowerCase().includes(filter.toLowerCase())) : [];
  const kernels: KernelResult[] = [];
  for (const kernel of cases) {
    context.signal.throwIfAborted();
    context.emit({ type: 'progress', task: 'kernels', done: kernels.length, of: cases.length, text: kernel.name });
    kernels.push(await checkKernel(device, kernel, { span, rounds }));
  }
  const steps: StepResult[] = [];
  for (const { preset, shape } of args.steps) {
    context.signal.throwIfAborted();
    context.emit({ type: 'progress', task: 'steps', done: steps.length, of: args.steps.length, text: preset });
    const engine = await context.engine();
    try {
      steps.push(await benchStep(device, engine, preset, shape, timedSteps));
    } finally {
      engine.destroy();
    }
  }
  return { backend: context.backend, adapter: adapterName(device.adapter), kernels, steps };
};
