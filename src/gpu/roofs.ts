// Measures the roofline of an adapter (Williams, Waterman and Patterson, 2009): copy bandwidth and peak rate of
// multiply-adds. Only kernels whose data fits in a cache exceed the bandwidth.

import { type Shape, sizeOf } from '../core/tensor.ts';
import { Graph } from '../graph/graph.ts';
import { elementwiseLaunch } from '../ops/elementwise/elementwise-launch.ts';
import { attrsOf, defineOp, gridOf, type Value } from '../ops/op.ts';
import { elementwiseVariants } from '../ops/work-division.ts';
import { variantKey } from '../plan/kernel-choices.ts';
import { makePlan } from '../plan/planner.ts';
import type { Device } from './device.ts';
import { Session } from './gpu-session.ts';
import { type TimeOptions, type Timing, timeRunner } from './plan-timing.ts';
import type { Runner } from './runner.ts';

/** A measured limit of the adapter. */
export interface Roof extends Timing {
  /** GB/s read and written, or GFLOP/s. */
  readonly rate: number;
  /** Name of the fastest kernel. */
  readonly variant: string;
  /** Bytes moved or floating-point operations per run. */
  readonly work: number;
}

/** Memory bandwidth and peak arithmetic rate. */
export interface Roofs {
  readonly bandwidth: Roof;
  readonly peak: Roof;
}

/** y = x. */
export const copyOp = defineOp({
  name: 'copy',
  inputs: ['x'],
  outputs: ['y'],
  shape: ({ x }) => ({ y: x }),
  variants: elementwiseVariants,
  launch: ({ x }, { y }, _attrs, { variant }) => [elementwiseLaunch('copy', variant, y, { x })],
  reference: ({ x }, { y }) => y.data.set(x.data),
});

/** Settings of multiplyAddOp: 8 · rounds steps c <- c · a + b per chain; `fused`: with fma(). */
export type MultiplyAddAttrs = {
  readonly rounds: number;
  readonly a: number;
  readonly b: number;
  readonly chains: number;
  readonly fused: boolean;
};

/** x [N, 4] -> [N, 4]: row i is the sum of chains that start at x[i], x[i] + 1, and so on. */
export const multiplyAddOp = defineOp({
  name: 'multiply_add',
  inputs: ['x'],
  outputs: ['y'],
  attrs: attrsOf<MultiplyAddAttrs>(),
  shape: ({ x }) => ({ y: x }),
  launch({ x }, { y }, { rounds, a, b, chains, fused }) {
    const count = sizeOf(x.shape) / 4;
    return [
      {
        shader: 'multiply-add',
        entry: 'multiply_add',
        constants: { CHAINS: chains, FUSED: fused ? 1 : 0 },
        params: { threads: count, rounds, a, b },
        bind: { x, y },
        grid: gridOf(count, 64),
        flops: flopsOf(count, chains, rounds),
      },
    ];
  },
  reference({ x }, { y }, { rounds, a, b, chains }) {
    for (let i = 0; i < y.size; i++)
      for (let k = 0; k < chains; k++) {
        let c = x.at(i) + k;
        for (let step = 0; step < 8 * rounds; step++) c = c * a + b;
        y.add(i, c);
      }
  },
});

/** Kernels to try: adapters differ in how many chains hide the latency of an instruction, and in fma(). */
const chainForms = [
  { variant: 'fma, 4 chains', chains: 4, fused: true },
  { variant: 'fma, 8 chains', chains: 8, fused: true },
  { variant: 'product and sum, 4 chains', chains: 4, fused: false },
  { variant: 'product and sum, 8 chains', chains: 8, fused: false },
] as const;

const flopsOf = (threads: number, chains: number, rounds: number): number => threads * 4 * chains * 8 * rounds * 2;

/** Settings of `measureRoofs`. */
export interface RoofOptions extends TimeOptions {
  /** Maximum number of bytes to copy. Default 128 MiB, more than most caches; less if the adapter's limit is lower. */
  readonly bytes?: number;
}

/**
 * Measures bandwidth and peak. Takes about ten times `span` milliseconds for each, and twice `bytes` of GPU memory.
 *
 * @example
 * const { bandwidth, peak } = await measureRoofs(device, { span: 20, rounds: 5 });
 * console.log(bandwidth.rate, 'GB/s', peak.rate, 'GFLOP/s');
 */
export async function measureRoofs(device: Device, options: RoofOptions): Promise<Roofs> {
  const bytes = Math.min(options.bytes ?? 128 * 2 ** 20, device.traits.maxBindingBytes);
  const count = Math.floor(bytes / 256) * 64;
  const bandwidth = await best(elementwiseVariants(), (variant) => measureCopy(device, count, variant, options));
  return { bandwidth, peak: await measurePeak(device, options) };
}

/** A roof that is measured again and again, with the kernel that was the fastest. */
export interface HeldRoof {
  /** Measures it. */
  measure(options: TimeOptions): Promise<Roof>;
  /** Frees its memory. */
  destroy(): void;
}

/** Holds the copy of `measureRoofs`, with its memory. */
export const holdBandwidth = (device: Device, { work, variant }: Roof): Promise<HeldRoof> =>
  holdRoof(openCopy(device, work / 8, variant), work, variant);

/** Holds the multiply-adds of `measureRoofs`. */
export function holdPeak(device: Device, { work, variant }: Roof): Promise<HeldRoof> {
  const form = chainForms.find((known) => known.variant === variant) ?? chainForms[0];
  return holdRoof(openChains(device, form, work / flopsOf(threadsOf(device), form.chains, 1)), work, variant);
}

async function holdRoof(opening: Promise<OpenNode>, work: number, variant: string): Promise<HeldRoof> {
  const node = await opening;
  return { measure: async (options) => roof(await node.time(options), work, variant), destroy: node.destroy };
}

const measurePeak = (device: Device, options: TimeOptions): Promise<Roof> =>
  best(chainForms, (form) => measureChains(device, form, options));

/** Returns the peak rate of multiply-adds in GFLOP/s, from short measurements: about a second. */
export async function measurePeakGflops(device: Device): Promise<number> {
  const { work, fastest } = await measurePeak(device, { span: 20, rounds: 3 });
  return work / fastest / 1e6;
}

/**
 * Returns the model FLOPs utilization (MFU; Chowdhery et al., 2022, "PaLM"): `modelFlops` of a plan over the time of a
 * run and the measured peak of the adapter.
 */
export const mfuOf = (modelFlops: number, seconds: number, peakGflops: number): number =>
  modelFlops / seconds / (peakGflops * 1e9);

async function best<T>(forms: readonly T[], measure: (form: T) => Promise<Roof>): Promise<Roof> {
  const roofs: Roof[] = [];
  for (const form of forms) roofs.push(await measure(form));
  return roofs.reduce((a, b) => (b.rate > a.rate ? b : a));
}

const openCopy = (device: Device, count: number, variant: string): Promise<OpenNode> =>
  openNode(device, [count], variant, (g, x) => void g.apply(copyOp, { x }));

const measureCopy = async (device: Device, count: number, variant: string, options: TimeOptions): Promise<Roof> =>
  roof(await timeOnce(openCopy(device, count, variant), options), 2 * 4 * count, variant);

/** Threads of a run: several hundred per core of the largest GPUs; few on a CPU, which needs 0.2 s for as many as a GPU has. */
const threadsOf = ({ traits }: Device): number => (traits.software ? 2 ** 13 : 2 ** 17);

async function measureChains(device: Device, form: ChainForm, options: TimeOptions): Promise<Roof> {
  // Long runs, so that the overhead of a dispatch does not matter.
  let rounds = 4;
  for (;;) {
    const { ms } = await timeChains(device, form, rounds, { span: 0, rounds: 1 });
    if (ms >= 2 || rounds >= 2 ** 20) break;
    rounds *= Math.max(2, Math.min(64, Math.ceil(3 / Math.max(ms, 0.01))));
  }
  return timeChains(device, form, rounds, options);
}

type ChainForm = (typeof chainForms)[number];

const timeChains = async (device: Device, form: ChainForm, rounds: number, options: TimeOptions): Promise<Roof> =>
  roof(
    await timeOnce(openChains(device, form, rounds), options),
    flopsOf(threadsOf(device), form.chains, rounds),
    form.variant,
  );

/** The values oscillate around 1 / 1.9, so they are never subnormal. */
const openChains = (device: Device, { chains, fused }: ChainForm, rounds: number): Promise<OpenNode> =>
  openNode(device, [threadsOf(device), 4], 'only', (g, x) => {
    g.apply(multiplyAddOp, { x }, { rounds, a: -0.9, b: 1, chains, fused });
  });

const roof = (timing: Timing, work: number, variant: string): Roof => ({
  ...timing,
  rate: work / timing.ms / 1e6,
  variant,
  work,
});

/** A single node on the device. */
interface OpenNode {
  time(options: TimeOptions): Promise<Timing>;
  destroy(): void;
}

async function timeOnce(opening: Promise<OpenNode>, options: TimeOptions): Promise<Timing> {
  const node = await opening;
  try {
    return await node.time(options);
  } finally {
    node.destroy();
  }
}

/** Prepares a single node on a state filled with noise. */
async function openNode(
  device: Device,
  shape: Shape,
  variant: string,
  build: (graph: Graph, x: Value) => void,
): Promise<OpenNode> {
  const graph = new Graph();
  build(graph, graph.state('x', 'f32', shape));
  const [node] = graph.nodes;
  if (!node) throw new Error('roofs: nothing to time');
  const session = new Session(device);
  const plan = makePlan(graph, { traits: device.traits, kernelChoices: { [variantKey(node)]: variant } });
  const [runner] = (await session.prepare([plan])) as [Runner];
  const block = Float32Array.from({ length: Math.min(sizeOf(shape), 2 ** 18) }, (_, i) => ((i * 7919) % 997) / 997);
  for (let at = 0; at < sizeOf(shape); at += block.length)
    session.write('x', block.subarray(0, sizeOf(shape) - at), at);
  return { time: (options) => timeRunner(device, runner, options), destroy: () => session.destroy() };
}
