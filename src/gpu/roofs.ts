// The roofs of an adapter, measured: how fast it copies memory and how many multiply-adds it does. No kernel can be above them for
// long (Williams, Waterman and Patterson, "Roofline", 2009); one whose data fits in a cache may pass the first.

import { type Shape, sizeOf } from '../core/tensor.ts';
import { Graph } from '../graph/graph.ts';
import { attrsOf, defineOp, gridOf, type Value } from '../ops/op.ts';
import { elementwise, elementwiseVariants } from '../ops/work-division.ts';
import { variantKey } from '../plan/kernel-choices.ts';
import { makePlan } from '../plan/planner.ts';
import type { Device } from './device.ts';
import { Session } from './gpu-session.ts';
import { type TimeOptions, type Timing, timeRunner } from './plan-timing.ts';
import type { Runner } from './runner.ts';

/** One roof. */
export interface Roof extends Timing {
  /** GB/s read and written, or GFLOP/s. */
  readonly rate: number;
  /** The form of the kernel that was fastest. */
  readonly variant: string;
  /** Bytes moved, or floating-point operations done, in a run. */
  readonly work: number;
}

/** Both roofs. */
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
  launch({ x }, { y }, _attrs, { variant }) {
    const count = sizeOf(y.shape);
    return [{ shader: 'copy', entry: 'copy', params: { count }, bind: { x, y }, ...elementwise(variant, count) }];
  },
  reference: ({ x }, { y }) => y.data.set(x.data),
});

/** Settings of multiplyAddOp: 8 · rounds steps c <- c · a + b in each chain; `fused` whether by fma(). */
export type MultiplyAddAttrs = {
  readonly rounds: number;
  readonly a: number;
  readonly b: number;
  readonly chains: number;
  readonly fused: boolean;
};

/** x [N, 4] -> [N, 4]: row i is the sum of chains that begin at x[i], x[i] + 1, and so on. */
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

/** Forms of the chains that are tried: what hides the latency of an instruction, and how one is had, differ between adapters. */
const chainForms = [
  { variant: 'fma, 4 chains', chains: 4, fused: true },
  { variant: 'fma, 8 chains', chains: 8, fused: true },
  { variant: 'product and sum, 4 chains', chains: 4, fused: false },
  { variant: 'product and sum, 8 chains', chains: 8, fused: false },
] as const;

const flopsOf = (threads: number, chains: number, rounds: number): number => threads * 4 * chains * 8 * rounds * 2;

/** Settings of `measureRoofs`. */
export interface RoofOptions extends TimeOptions {
  /** Bytes that are copied, at most: 128 MiB unless given, which no cache but the largest holds. Adapters with less get less. */
  readonly bytes?: number;
}

/** Measures both roofs; takes some ten times `span` milliseconds for each, and twice `bytes` of GPU memory. */
export async function measureRoofs(device: Device, options: RoofOptions): Promise<Roofs> {
  const most = Math.min(options.bytes ?? 128 * 2 ** 20, device.traits.maxBindingBytes);
  const count = Math.floor(most / 256) * 64;
  const bandwidth = await best(elementwiseVariants(), (variant) => measureCopy(device, count, variant, options));
  const peak = await best(chainForms, (form) => measureChains(device, form, options));
  return { bandwidth, peak };
}

async function best<T>(forms: readonly T[], measure: (form: T) => Promise<Roof>): Promise<Roof> {
  const roofs: Roof[] = [];
  for (const form of forms) roofs.push(await measure(form));
  return roofs.reduce((a, b) => (b.rate > a.rate ? b : a));
}

async function measureCopy(device: Device, count: number, variant: string, options: TimeOptions): Promise<Roof> {
  const timing = await alone(device, [count], variant, options, (g, x) => void g.apply(copyOp, { x }));
  return roof(timing, 2 * 4 * count, variant);
}

/** Threads of a run: several hundred a core of the largest GPUs. */
const threads = 2 ** 17;

async function measureChains(
  device: Device,
  { variant, chains, fused }: (typeof chainForms)[number],
  options: TimeOptions,
): Promise<Roof> {
  // The values swing around 1 / 1.9 and stay normal.
  const time = (rounds: number, how: TimeOptions) =>
    alone(device, [threads, 4], 'only', how, (g, x) => {
      g.apply(multiplyAddOp, { x }, { rounds, a: -0.9, b: 1, chains, fused });
    });
  // Long runs, so that what a dispatch costs beside its arithmetic is lost in them.
  let rounds = 4;
  for (;;) {
    const { ms } = await time(rounds, { span: 0, rounds: 1 });
    if (ms >= 2 || rounds >= 2 ** 20) break;
    rounds *= Math.max(2, Math.min(64, Math.ceil(3 / Math.max(ms, 0.01))));
  }
  return roof(await time(rounds, options), flopsOf(threads, chains, rounds), variant);
}

const roof = (timing: Timing, work: number, variant: string): Roof => ({
  ...timing,
  rate: work / timing.ms / 1e6,
  variant,
  work,
});

/** Times one node on a state of noise. */
async function alone(
  device: Device,
  shape: Shape,
  variant: string,
  options: TimeOptions,
  build: (graph: Graph, x: Value) => void,
): Promise<Timing> {
  const graph = new Graph();
  build(graph, graph.state('x', 'f32', shape));
  const [node] = graph.nodes;
  if (!node) throw new Error('roofs: nothing to time');
  const session = new Session(device);
  try {
    const plan = makePlan(graph, { traits: device.traits, kernelChoices: { [variantKey(node)]: variant } });
    const [runner] = (await session.prepare([plan])) as [Runner];
    const block = Float32Array.from({ length: Math.min(sizeOf(shape), 2 ** 18) }, (_, i) => ((i * 7919) % 997) / 997);
    for (let at = 0; at < sizeOf(shape); at += block.length)
      session.write('x', block.subarray(0, sizeOf(shape) - at), at);
    return await timeRunner(device, runner, options);
  } finally {
    session.destroy();
  }
}
