// Measures the roofline of an adapter (Williams, Waterman and Patterson, 2009): copy bandwidth and peak rate
// of multiply-adds. Only kernels whose data fits in a cache exceed the bandwidth.

import { type Shape, sizeOf } from '../../core/tensor.ts';
import { Graph } from '../graph/graph.ts';
import { elementwiseLaunch } from '../ops/elementwise/elementwise-ops.ts';
import { attrsOf, defineOp, type Value } from '../ops/op.ts';
import { checkDevice, checkObject } from '../ops/option-checks.ts';
import { elementwiseVariants, gridOf } from '../ops/work-division.ts';
import { variantKey } from '../plan/kernel-choices.ts';
import { makePlan } from '../plan/planner.ts';
import type { Device } from './device.ts';
import { GpuEngine } from './gpu-engine.ts';
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
  launch: ({ x }, { y }, _attrs, { variant }) => [elementwiseLaunch('copy', variant, y, { x }, { flops: 0 })],
  reference: ({ x }, { y }) => y.data.set(x.data),
});

/** x [N, 4] -> [N, 4]: each element is the sum of `chains` chains, which start at x, x + 1, and so on. */
export const multiplyAddOp = defineOp({
  name: 'multiply_add',
  inputs: ['x'],
  outputs: ['y'],
  /** A chain has 8 · `rounds` steps c <- c · a + b. `fused`: with fma(). */
  attrs: attrsOf<{
    readonly rounds: number;
    readonly a: number;
    readonly b: number;
    readonly chains: number;
    readonly fused: boolean;
  }>(),
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

/**
 * Kernels to try. Adapters differ in the number of chains that hides the latency of an instruction, and in
 * fma().
 */
const chainForms = [
  { variant: 'fma, 4 chains', chains: 4, fused: true },
  { variant: 'fma, 8 chains', chains: 8, fused: true },
  { variant: 'product and sum, 4 chains', chains: 4, fused: false },
  { variant: 'product and sum, 8 chains', chains: 8, fused: false },
] as const;

const flopsOf = (threads: number, chains: number, rounds: number): number =>
  threads * 4 * chains * 8 * rounds * 2;

/** Settings of `measureRoofs`. */
export interface RoofOptions extends TimeOptions {
  /**
   * Maximum number of bytes to copy. Default 128 MiB, more than most caches; less if the adapter's limit is
   * lower.
   */
  readonly bytes?: number;
}

/**
 * Measures bandwidth and peak. Takes about 6 · `rounds` · `span` milliseconds, for two copy kernels and four
 * kernels of multiply-adds, and twice `bytes` of GPU memory.
 *
 * @example
 * const { bandwidth, peak } = await measureRoofs(device, { span: 20, rounds: 5 });
 * console.log(bandwidth.rate, 'GB/s', peak.rate, 'GFLOP/s');
 */
export async function measureRoofs(device: Device, options: RoofOptions): Promise<Roofs> {
  checkDevice('measureRoofs', device);
  checkObject('measureRoofs', options, {
    bytes: 'a number?',
    span: 'a number',
    rounds: 'a number',
    skipAbove: 'a number?',
    repeats: 'a number?',
  });
  const bytes = Math.min(options.bytes ?? 128 * 2 ** 20, device.traits.maxBindingBytes);
  const count = Math.floor(bytes / 256) * 64;
  const bandwidth = await best(elementwiseVariants(), (variant) =>
    measureOnce(openCopy(device, count, variant.name), options),
  );
  return { bandwidth, peak: await measurePeak(device, options) };
}

/** One kernel of a roof, compiled and with its memory, to measure it repeatedly. */
export interface PreparedRoof {
  /** Measures it. */
  measure(options: TimeOptions): Promise<Roof>;
  /** Frees its memory. */
  destroy(): void;
}

/** Prepares the fastest copy kernel of `measureRoofs`. */
export const prepareBandwidth = (device: Device, { work, variant }: Roof): Promise<PreparedRoof> =>
  openCopy(device, work / 8, variant);

/** Prepares the fastest multiply-add kernel of `measureRoofs`. */
export function preparePeak(device: Device, { work, variant }: Roof): Promise<PreparedRoof> {
  const form = chainForms.find((known) => known.variant === variant) ?? chainForms[0];
  return openChains(device, form, work / flopsOf(threadsOf(device), form.chains, 1));
}

const measurePeak = (device: Device, options: TimeOptions): Promise<Roof> =>
  best(chainForms, (form) => measureChains(device, form, options));

/** Returns the peak rate of multiply-adds in GFLOP/s, from short measurements: about a second. */
export async function measurePeakGflops(device: Device): Promise<number> {
  const { work, fastest } = await measurePeak(device, { span: 20, rounds: 3 });
  return work / fastest / 1e6;
}

/**
 * Returns the model FLOPs utilization (MFU; Chowdhery et al., 2022, "PaLM"): `modelFlops` of a plan over the
 * time of a run and the measured peak of the adapter.
 */
export const mfuOf = (modelFlops: number, seconds: number, peakGflops: number): number =>
  modelFlops / seconds / (peakGflops * 1e9);

async function best<T>(forms: readonly T[], measure: (form: T) => Promise<Roof>): Promise<Roof> {
  const roofs: Roof[] = [];
  for (const form of forms) roofs.push(await measure(form));
  return roofs.reduce((a, b) => (b.rate > a.rate ? b : a));
}

async function measureOnce(opening: Promise<PreparedRoof>, options: TimeOptions): Promise<Roof> {
  const prepared = await opening;
  try {
    return await prepared.measure(options);
  } finally {
    prepared.destroy();
  }
}

async function measureChains(device: Device, form: ChainForm, options: TimeOptions): Promise<Roof> {
  // Long runs, so that the overhead of a dispatch does not matter.
  let rounds = 4;
  for (;;) {
    const { ms } = await measureOnce(openChains(device, form, rounds), { span: 0, rounds: 1 });
    if (ms >= 2 || rounds >= 2 ** 20) break;
    rounds *= Math.max(2, Math.min(64, Math.ceil(3 / Math.max(ms, 0.01))));
  }
  return measureOnce(openChains(device, form, rounds), options);
}

const openCopy = (device: Device, count: number, variant: string): Promise<PreparedRoof> =>
  openRoof(device, { shape: [count], variant, work: 2 * 4 * count }, (g, x) => void g.apply(copyOp, { x }));

type ChainForm = (typeof chainForms)[number];

/** The values oscillate around 1 / 1.9, so they are never subnormal. */
function openChains(
  device: Device,
  { variant, chains, fused }: ChainForm,
  rounds: number,
): Promise<PreparedRoof> {
  const threads = threadsOf(device);
  return openRoof(
    device,
    { shape: [threads, 4], variant, work: flopsOf(threads, chains, rounds) },
    (g, x) => {
      g.apply(multiplyAddOp, { x }, { rounds, a: -0.9, b: 1, chains, fused });
    },
  );
}

/**
 * Threads of a run: several hundred per compute unit of the largest GPUs. A CPU would take 0.2 s for as many,
 * so it gets fewer.
 */
const threadsOf = ({ traits }: Device): number => (traits.software ? 2 ** 13 : 2 ** 17);

/** Prepares a single node on a state filled with noise. */
async function openRoof(
  device: Device,
  { shape, variant, work }: { readonly shape: Shape } & Pick<Roof, 'variant' | 'work'>,
  build: (graph: Graph, x: Value) => void,
): Promise<PreparedRoof> {
  const graph = new Graph();
  build(graph, graph.state('x', 'f32', shape));
  const kernelChoices = Object.fromEntries(graph.nodes.map((node) => [variantKey(node), variant]));
  const engine = new GpuEngine(device);
  const plan = makePlan(graph, { traits: device.traits, kernelChoices });
  const [runner] = (await engine.preparePlans([plan])) as [Runner];
  const block = Float32Array.from(
    { length: Math.min(sizeOf(shape), 2 ** 18) },
    (_, i) => ((i * 7919) % 997) / 997,
  );
  for (let at = 0; at < sizeOf(shape); at += block.length)
    engine.write('x', block.subarray(0, sizeOf(shape) - at), at);
  return {
    async measure(options) {
      const timing = await timeRunner(device, runner, options);
      return { ...timing, rate: work / timing.ms / 1e6, variant, work };
    },
    destroy: () => engine.destroy(),
  };
}
