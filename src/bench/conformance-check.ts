// Conformance check of an engine and its adapter: each kernel against float64, 20 updates against stored
// losses, recovery of a lost device, and the latency of a submission.

import { adapterName, hostOf } from '../core/host-name.ts';
import type { Message } from '../core/message.ts';
import { type Device, matrixUse, subgroupUse } from '../engine/gpu/device.ts';
import { GpuEngine } from '../engine/gpu/gpu-engine.ts';
import { median } from '../engine/gpu/plan-timing.ts';
import type { Runner } from '../engine/gpu/runner.ts';
import { Graph } from '../engine/graph/graph.ts';
import { add } from '../engine/ops/elementwise/elementwise-ops.ts';
import { makePlan } from '../engine/plan/planner.ts';
import { features } from '../features/features.ts';
import { memoryFiles } from '../files/memory-files.ts';
import { currentHost } from '../session/host.ts';
import { Session } from '../session/session.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import type { TrainingEvent } from '../train/report/training-events.ts';
import type { RunningTraining } from '../train/run/loop.ts';
import { runTraining } from '../train/run/recovery.ts';
import type { TrainArguments } from '../train/settings/train-arguments.ts';
import { type Conformance, conformanceOf } from './conformance.ts';
import { describeMachine, type Machine } from './machine.ts';
import { measure } from './measure-kernels.ts';

/** The report; plain JSON. */
export interface ConformanceReport extends Conformance {
  /** The WebGPU host and its version; `''` if it is unknown. */
  readonly engine: { readonly name: string; readonly version: string };
  readonly machine: Machine;
  /** Whether kernels use the subgroups of the adapter; if not, the reason. */
  readonly subgroupKernels: string;
  /** The subgroup matrices that kernels can use; if none, the reason. */
  readonly subgroupMatrices: string;
  /** 20 updates of a small model: losses, and their maximum relative error against the stored ones. */
  readonly training: { readonly losses: readonly number[]; readonly error: number; readonly allowed: number };
  /**
   * Medians: milliseconds from a submission to its results on the host, microseconds per additional dispatch.
   */
  readonly readbackMs: number;
  readonly dispatchUs: number;
  /** Number of trainings whose device was destroyed, and of those that ended with the same losses. */
  readonly recovery: { readonly lost: number; readonly recovered: number };
}

/** Maximum relative error of a loss. */
const allowed = 1e-5;

/**
 * Checks each kernel, 20 updates and the recovery of `lostDevices` trainings whose device is destroyed, and
 * measures readback and dispatches.
 */
export async function checkConformance(
  { lostDevices }: { readonly lostDevices: number },
  session: Session<TrainingEvent>,
): Promise<ConformanceReport> {
  const device = await session.device.open();
  const machine = await describeMachine(await session.device.gpu());
  let kernelCount = 0;
  const progress = (done: number, total: number, text: Message | string) => {
    session.signal.throwIfAborted();
    session.emit({ type: 'progress', task: 'conformance', done, total: total + lostDevices + 2, text });
  };
  const { kernels } = await measure(
    device,
    { set: 'conformance', filter: '', span: 1, rounds: 1, roofs: false },
    {
      signal: session.signal,
      onProgress(done, total, text) {
        kernelCount = total;
        progress(done, total, text);
      },
    },
  );
  progress(kernelCount, kernelCount, 'readback and dispatches');
  const latency = await measureLatency(device);
  progress(kernelCount + 1, kernelCount, '20 training steps');
  const losses = await trainReference(session);
  const error = Math.max(...storedLosses.map((loss, i) => Math.abs((losses[i] ?? Number.NaN) / loss - 1)));
  let recovered = 0;
  for (let i = 0; i < lostDevices; i++) {
    progress(kernelCount + 2 + i, kernelCount, 'recovery of a lost device');
    const after = await trainReference(session, 1 + ((7 * i + 9) % (storedLosses.length - 1)));
    if (after.length === losses.length && after.every((loss, k) => Object.is(loss, losses[k]))) recovered++;
  }
  session.signal.throwIfAborted();
  const report = conformanceOf(machine, kernels);
  return {
    ...report,
    passed: report.passed && error <= allowed && recovered === lostDevices,
    engine: hostOf(),
    machine,
    subgroupKernels: subgroupUse(device),
    subgroupMatrices: matrixUse(device),
    training: { losses, error, allowed },
    ...latency,
    recovery: { lost: lostDevices, recovered },
  };
}

/**
 * Runs the check on the WebGPU of this page or worker, with one lost device. Returns the report and the name
 * of the adapter. Rejects with the signal's reason.
 */
export async function checkThisBrowser(
  signal: AbortSignal,
  onProgress: (done: number, total: number, next: Message | string) => void,
): Promise<{ readonly report: ConformanceReport; readonly adapter: string }> {
  const session = new Session<TrainingEvent>(currentHost(), {
    features,
    device: navigator.gpu, // a device of its own, since the check destroys it
    tune: false,
    files: memoryFiles(),
    signal,
    onEvent(event) {
      if (event.type === 'progress') onProgress(event.done, event.total, event.template ?? event.text);
    },
  });
  try {
    const report = await checkConformance({ lostDevices: 1 }, session);
    return { report, adapter: adapterName((await session.device.open()).adapter) };
  } finally {
    await session.close();
  }
}

/** Pairs that do not depend on the Unicode tables of the system, which differ between engines. */
const pairs: Pair[] = Array.from({ length: 48 }, (_, i) => {
  const words = ['one', 'two', 'three', 'four'].map((word, k) => word.repeat(1 + ((i >> k) & 1)));
  return {
    source: words.slice(i % 3).join(' '),
    target: words
      .slice(i % 3)
      .reverse()
      .join(' '),
  };
});

const trainArguments: TrainArguments = {
  corpus: { kind: 'tsv', path: 'pairs' },
  heldOut: 0,
  preset: 'tiny',
  model: { dModel: 16, heads: 2, feedForward: 24, encoderLayers: 1, decoderLayers: 1, maxLength: 64 },
  tokenizer: 'char',
  vocabSize: 50,
  steps: 20,
  batchSize: 8,
  buckets: 1,
  optimizer: 'adamw',
  schedule: 'constant',
  learningRate: 3e-3,
  seed: 1,
  init: 'xavier',
  testSentences: 0,
  out: '',
  saveSteps: 5,
  evalSteps: 0,
  devSentences: 0,
  bestMetric: 'loss',
  patience: 0,
  noFuse: [],
};

/** Losses of `trainArguments` on the CPU backend, in float64. */
export const storedLosses: readonly number[] = [
  3.2048101482, 3.0576475266, 2.9945086102, 2.805561946, 2.6664187494, 2.4817677757, 2.4432992646,
  2.3541557498, 2.3077326158, 2.2393854478, 2.0893319488, 2.0500640869, 2.0637432596, 2.02192076,
  1.8823454396, 1.9128535627, 1.828738803, 1.7621439035, 1.7769301515, 1.6938780641,
];

/** Losses of 20 updates. The device is destroyed once before the update after `loseAt`. */
export async function trainReference(
  session: Session<TrainingEvent>,
  loseAt?: number,
): Promise<readonly number[]> {
  let running: RunningTraining | undefined;
  let lost = loseAt === undefined;
  const gate = {
    ready(training: RunningTraining) {
      running = training;
    },
    between() {
      if (lost || running?.step() !== loseAt) return undefined;
      lost = true;
      return async () => (await session.device.open()).gpu.destroy();
    },
    wantsCheckpoint: () => false,
  };
  // The steps and checkpoints of this training are no events of the job.
  const quiet = session.with({ onEvent: () => undefined });
  const { result } = await runTraining(trainArguments, quiet, {
    split: { train: pairs, dev: [], test: [] },
    gate,
  });
  return result.losses;
}

/** Latency of a readback and cost of a dispatch, with a kernel that does almost nothing. */
async function measureLatency(device: Device): Promise<{ readbackMs: number; dispatchUs: number }> {
  const engine = new GpuEngine(device);
  try {
    const graph = new Graph();
    graph.output('y', add(graph, graph.input('x', 'f32', [4]), graph.state('s', 'f32', [4])));
    const [runner] = (await engine.preparePlans([makePlan(graph, { traits: device.traits })])) as [Runner];
    await runner.run();
    const times: number[] = [];
    for (let i = 0; i < 21; i++) {
      const start = performance.now();
      await runner.run();
      times.push(performance.now() - start);
    }
    const [few, many] = [100, 2100];
    const costs: number[] = [];
    for (let i = 0; i < 5; i++) {
      const short = (await runner.clock(few)).host;
      costs.push((1000 * ((await runner.clock(many)).host - short)) / (many - few));
    }
    return { readbackMs: median(times), dispatchUs: median(costs) };
  } finally {
    engine.destroy();
  }
}
