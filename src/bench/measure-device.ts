// "Measure this device" of the kernel lab, about a minute on a GPU: conformance, roofs, products and attention, a
// training step, and decoding, as one short report.

import { adapterName } from '../core/host-name.ts';
import { msg } from '../core/message.ts';
import { gpuEngine } from '../engine/engine.ts';
import { tuneKernels } from '../engine/gpu/auto-tuning.ts';
import type { Device } from '../engine/gpu/device.ts';
import type { KernelChooser } from '../engine/gpu/gpu-engine.ts';
import type { PresetName } from '../model/presets.ts';
import { fastestOf } from './bench-file.ts';
import { conformanceOf } from './conformance.ts';
import {
  type DecodingTask,
  decodeOnDevice,
  decodingTask,
  type MeasuredDecoding,
  measuredVocab,
  type RandomModel,
  randomModel,
} from './device-decoding.ts';
import type { DeviceReport, ReportedKernel, ReportedPeer } from './device-report.ts';
import { guestBenches } from './guest-benches.ts';
import type { KernelSpec } from './kernel-case.ts';
import { describeMachine } from './machine.ts';
import { type Listener, measure } from './measure-kernels.ts';
import { equalRows, type TransformersLibrary } from './peer-library.ts';
import { benchStep } from './step-bench.ts';

/** What is measured: `full` for a GPU, `quick` for tests and slow adapters. */
export interface DeviceMeasurement {
  /** Only conformance kernels whose name contains this text. */
  readonly filter: string;
  readonly kernels: readonly KernelSpec[];
  readonly span: number;
  readonly rounds: number;
  readonly preset: PresetName;
  readonly batch: number;
  readonly length: number;
  readonly steps: number;
  readonly decoding: readonly number[];
  readonly tokens: number;
}

const matmul = (size: number): KernelSpec => ({ family: 'matmul', values: { M: size, K: size, N: size } });
const attention = (length: number, pass: string): KernelSpec => ({
  family: 'attention',
  values: { batch: 4, length, heads: 8, width: 32, pass },
});

/** The measurement of a GPU, and a small one. */
export const deviceMeasurements = {
  full: {
    filter: '',
    span: 20,
    rounds: 5,
    preset: 'mid',
    batch: 32,
    length: 32,
    steps: 12,
    kernels: [matmul(1024), attention(512, 'forward'), attention(512, 'backward')],
    decoding: [1, 8],
    tokens: 32,
  },
  quick: {
    filter: 'softmax',
    span: 2,
    rounds: 2,
    preset: 'tiny',
    batch: 4,
    length: 8,
    steps: 3,
    kernels: [matmul(64), attention(32, 'forward'), attention(32, 'backward')],
    decoding: [1, 8],
    tokens: 6,
  },
} as const satisfies Readonly<Record<string, DeviceMeasurement>>;

/** Name of a measurement. */
export type DeviceMeasurementName = keyof typeof deviceMeasurements;

/** Auto-tuning for this device only; a step takes the kernels that are fastest here. */
const tuned: KernelChooser = {
  choose: (graphs, device, known) => tuneKernels(device, graphs, { known }),
};

/** Callbacks and options of a measurement of a device. */
export interface DeviceListener extends Pick<Listener, 'signal' | 'onProgress'> {
  /** Loads transformers.js, which then decodes the same model in WebAssembly. Default: it is not loaded. */
  readonly loadTransformers?: () => Promise<TransformersLibrary>;
}

/** Measures a device. `heddle`: the version. Rejects with the signal's reason. */
export async function measureDevice(
  device: Device,
  gpu: GPU,
  heddle: string,
  what: DeviceMeasurement,
  { signal, onProgress, loadTransformers }: DeviceListener,
): Promise<DeviceReport> {
  const when = new Date().toISOString();
  if (loadTransformers) onProgress(0, 1, 'loading transformers.js');
  const transformers = await loadTransformers?.();
  const machine = await describeMachine(gpu);
  // Parts of the whole: the kernels of the conformance check, then these.
  const besides = transformers ? 1 : 0;
  const parts = what.kernels.length + 2 + 1 + what.decoding.length + besides;
  let checked = 0;
  const conformance = await measure(
    device,
    { set: 'conformance', filter: what.filter, span: 1, rounds: 1, roofs: false },
    {
      signal,
      onProgress(done, total, name) {
        checked = total;
        onProgress(done, total + parts, msg`checking ${name}`);
      },
    },
  );
  const total = checked + parts;
  const { roofs, roofSpread, kernels } = await measure(
    device,
    { set: 'small', filter: '', specs: what.kernels, span: what.span, rounds: what.rounds, roofs: true },
    { signal, onProgress: (done, _, name) => onProgress(checked + done, total, name) },
  );
  if (!roofs || !roofSpread) throw new Error('the roofs were not measured');
  signal.throwIfAborted();
  const decodingFrom = total - what.decoding.length - besides;
  onProgress(decodingFrom - 1, total, msg`training steps of ${what.preset}`);
  const step = await measureStep(device, what);
  const model = randomModel(what.preset);
  const decoded: Decoded[] = [];
  for (const [i, batch] of what.decoding.entries()) {
    signal.throwIfAborted();
    onProgress(decodingFrom + i, total, msg`decoding at batch ${batch}`);
    const task = decodingTask(batch, what.length, what.tokens);
    decoded.push({ task, found: await decodeOnDevice(device, tuned, model, task) });
  }
  signal.throwIfAborted();
  if (transformers) onProgress(total - 1, total, 'decoding with transformers.js');
  const beside = transformers && (await measureTransformers(transformers, model, decoded));
  const { kernels: lines } = conformanceOf(machine, conformance.kernels);
  return {
    kind: 'heddle device report',
    version: 1,
    heddle,
    when,
    adapter: short(adapterName(device.adapter)),
    browser: short(machine.browser.at(-1) ?? machine.agent),
    platform: short(machine.platform),
    software: machine.adapter.software,
    conformance: {
      kernels: lines.length,
      wrong: lines.filter(({ passed }) => !passed).map(({ name }) => short(name)),
    },
    roofs: {
      bandwidth: digits(roofs.bandwidth.rate),
      peak: digits(roofs.peak.rate),
      spread: digits(Math.max(roofSpread.bandwidth.spread, roofSpread.peak.spread)),
    },
    kernels: kernels.flatMap((kernel): ReportedKernel[] => {
      const best = fastestOf(kernel);
      const { name, flops, bytes } = kernel;
      return best
        ? [{ name, flops, bytes, ms: digits(best.ms), low: digits(best.low), high: digits(best.high) }]
        : [];
    }),
    step,
    decoding: decoded.map(({ task, found }) => ({
      preset: what.preset,
      parameters: model.parameters.count,
      batch: task.sources.length,
      tokensPerSecond: digits(found.tokensPerSecond),
    })),
    beside,
  };
}

/** A task, and what heddle decoded. */
interface Decoded {
  readonly task: DecodingTask;
  readonly found: MeasuredDecoding;
}

/** A text of a report: without line breaks and the characters of Markdown and HTML. */
const short = (text: string): string =>
  text
    .replace(/[\s|<>`]+/g, ' ')
    .trim()
    .slice(0, 120) || 'unknown';

/** Four digits, so that the line is short. */
const digits = (x: number): number => Number(x.toPrecision(4));

async function measureStep(device: Device, what: DeviceMeasurement): Promise<DeviceReport['step']> {
  const { preset, batch, length, steps } = what;
  const engine = gpuEngine(device, { kernels: tuned });
  try {
    // A peak of 1 GFLOP/s makes the utilization the rate of the model's FLOPs.
    const shape = { batch, source: length, target: length, vocab: measuredVocab };
    const {
      ms,
      mfu = 0,
      tokensPerSecond,
      dispatches,
    } = await benchStep(device, engine, preset, shape, steps, 1);
    const modelFlops = Math.round(mfu * ms * 1e6);
    return {
      preset,
      batch,
      ms: digits(ms),
      modelFlops,
      tokensPerSecond: digits(tokensPerSecond),
      dispatches,
    };
  } finally {
    engine.destroy();
  }
}

/** The same tasks with transformers.js in WebAssembly, which must find the same ids to be timed. */
async function measureTransformers(
  library: TransformersLibrary,
  model: RandomModel,
  decoded: readonly Decoded[],
): Promise<ReportedPeer[]> {
  const tasks = decoded.map(({ task, found }) => ({ task, expected: found.ids }));
  const decode = guestBenches.find((guest) => guest.decodeWithTransformers)?.decodeWithTransformers;
  const results = (await decode?.(library, model, tasks)) ?? [];
  const threads = library.env.backends.onnx.wasm.numThreads ?? 1;
  return results.map(({ ids, tokensPerSecond }, i) => ({
    library: short(
      `transformers.js ${library.env.version}, wasm, ${threads} thread${threads === 1 ? '' : 's'}`,
    ),
    batch: ids.length,
    sameRows: equalRows(ids, tasks[i]?.expected ?? []),
    tokensPerSecond: digits(tokensPerSecond),
  }));
}
