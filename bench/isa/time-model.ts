// Predicts the time of a run on a GPU that is not here, from the instructions of its kernels and the data sheet of the
// GPU. docs/gpu-compiler.md states the model and its assumptions.

import type { EstimatedPass } from './compile-kernels.ts';
import type { KernelRow } from './kernel-rows.ts';

/** A GPU with the numbers of its data sheet. */
export interface EstimatedGpu {
  /** The GPU for which kernels are compiled. */
  readonly gpu: string;
  /** Pattern of the names of its adapter in reports of devices. */
  readonly adapter: RegExp;
  /** FP32 peak in TFLOP/s, without dual issue. */
  readonly tflops: number;
  /** Peak of FP16 matrices in TFLOP/s; that of FP32 if there is none. */
  readonly matrixTflops?: number;
  /** Memory bandwidth in GB/s. */
  readonly bandwidth: number;
  /** Cores that run workgroups: Xe cores, multiprocessors, compute units. */
  readonly cores: number;
  /** Multiply-adds of a core in the time in which its workgroup memory delivers 16 bytes. */
  readonly multiplyAddsPerAccess: number;
  /** Threads (AMD: waves) of a core from which more do not hide more latency; absent if the driver does not say. */
  readonly enoughThreads?: number;
  /** Microseconds of a dispatch: barrier, launch and drain of the GPU. Assumed. */
  readonly dispatchUs: number;
}

/** The GPUs by name. */
export const estimatedGpus: Readonly<Record<string, EstimatedGpu>> = {
  'Iris Xe (96 EU)': {
    gpu: 'tgl',
    adapter: /iris.*xe|gen-12lp/i,
    tflops: 2.0,
    bandwidth: 68,
    cores: 6,
    multiplyAddsPerAccess: 16,
    dispatchUs: 10,
  },
  'Arc A770': {
    gpu: 'dg2',
    adapter: /arc.*a770/i,
    tflops: 17.2,
    bandwidth: 560,
    cores: 32,
    multiplyAddsPerAccess: 16,
    dispatchUs: 5,
  },
  'RTX 3060': {
    gpu: 'nv172',
    adapter: /rtx 3060/i,
    tflops: 12.7,
    bandwidth: 360,
    cores: 28,
    multiplyAddsPerAccess: 16,
    enoughThreads: 384,
    dispatchUs: 5,
  },
  // Its Navi 22 has the instructions of Navi 21.
  'RX 6700': {
    gpu: 'navi21',
    adapter: /rx 6700/i,
    tflops: 11.3,
    bandwidth: 320,
    cores: 36,
    multiplyAddsPerAccess: 8,
    enoughThreads: 4,
    dispatchUs: 5,
  },
  'RX 7900 XTX': {
    gpu: 'navi31',
    adapter: /rx 7900 xtx/i,
    tflops: 30.7,
    matrixTflops: 122.8,
    bandwidth: 960,
    cores: 96,
    multiplyAddsPerAccess: 8,
    enoughThreads: 4,
    dispatchUs: 5,
  },
  M1: {
    gpu: 'm1',
    adapter: /apple.*m1\b/i,
    tflops: 2.6,
    bandwidth: 68,
    cores: 8,
    multiplyAddsPerAccess: 16,
    enoughThreads: 384,
    dispatchUs: 10,
  },
  'Adreno 740': {
    gpu: 'fd740',
    adapter: /adreno.*740/i,
    tflops: 2.1,
    bandwidth: 67,
    cores: 6,
    multiplyAddsPerAccess: 16,
    dispatchUs: 20,
  },
  'Mali G610 MP4': {
    gpu: 'mali-a867',
    adapter: /mali.*g610/i,
    tflops: 0.51,
    bandwidth: 34,
    cores: 4,
    multiplyAddsPerAccess: 16,
    dispatchUs: 20,
  },
};

/** Assumed share of the peak bandwidth that a memory-bound kernel reaches. */
const bandwidthShare = 0.8;
/** Share of the peak of a kernel without multiply-adds, whose FLOPs are other instructions. */
const plainShare = 0.25;

/** The predicted time of a run. */
export interface Prediction {
  readonly ms: number;
  readonly dispatches: number;
  /** FLOPs of the run / what the peak would do in its time. */
  readonly utilization: number;
  /** Shares of the time by kernel, `shader.entry`, largest first. */
  readonly kernels: readonly (readonly [kernel: string, share: number])[];
  /** Kernels of the run that the compiler has not printed; they count as without multiply-adds. */
  readonly unknown: number;
}

/** The share of its core's peak that a kernel reaches: by arithmetic, workgroup memory, or matrix instructions. */
export function reachedShare(row: KernelRow, gpu: EstimatedGpu): number {
  const { loop, round } = row;
  if (loop.matrix > 0) return 0.5;
  // A loop of few multiply-adds is not what the FLOPs of the kernel are.
  if (round.fma === 0) return plainShare;
  const slots = Math.max(round.fma + round.alu, round.mem * gpu.multiplyAddsPerAccess);
  const hidden = latencyHidden(row, gpu);
  return Math.max((round.fma / slots) * hidden, 0.02);
}

/** How much of the latency is hidden, 0 to 1: by the threads that fit. */
const latencyHidden = ({ threads }: KernelRow, { enoughThreads }: EstimatedGpu): number =>
  threads === undefined || enoughThreads === undefined ? 1 : Math.min(1, threads / enoughThreads);

/** Microseconds of a dispatch under the two roofs, given in operations and bytes of a microsecond. */
export const roofTime = (
  { flops, bytes }: Pick<EstimatedPass, 'flops' | 'bytes'>,
  roofs: { readonly flops: number; readonly bytes: number; readonly dispatchUs: number },
): number => Math.max(flops / roofs.flops, bytes / roofs.bytes) + roofs.dispatchUs;

/** Microseconds of a pass. */
export function passTime(pass: EstimatedPass, row: KernelRow | undefined, gpu: EstimatedGpu): number {
  const { tflops, matrixTflops = tflops, bandwidth, cores, dispatchUs } = gpu;
  const peak = (row?.loop.matrix ? matrixTflops : tflops) * 1e6; // FLOPs in a microsecond
  const filled = pass.workgroups / (Math.ceil(pass.workgroups / cores) * cores);
  const share = row ? reachedShare(row, gpu) : plainShare;
  return roofTime(pass, {
    flops: peak * filled * share,
    bytes: bandwidth * 1e3 * bandwidthShare,
    dispatchUs,
  });
}

/** Predicts a run from its passes and the compiled kernels. */
export function predict(
  passes: readonly EstimatedPass[],
  rows: readonly KernelRow[],
  gpu: EstimatedGpu,
): Prediction {
  const kernels = new Map(rows.filter((row) => row.gpu === gpu.gpu).map((row) => [row.name, row]));
  const times = new Map<string, number>();
  let us = 0;
  let unknown = 0;
  for (const pass of passes) {
    const row = kernels.get(pass.kernel);
    if (!row) unknown++;
    const time = passTime(pass, row, gpu);
    us += time;
    const [name = ''] = pass.kernel.split(' ');
    times.set(name, (times.get(name) ?? 0) + time);
  }
  const flops = passes.reduce((sum, pass) => sum + pass.flops, 0);
  return {
    ms: us / 1e3,
    dispatches: passes.length,
    utilization: flops / (gpu.tflops * 1e6 * us),
    kernels: [...times]
      .sort((a, b) => b[1] - a[1])
      .map(([name, time]) => [name, Number((time / us).toFixed(3))] as const),
    unknown,
  };
}

/** A prediction as text. */
export function predictionText(name: string, run: string, prediction: Prediction, gpu: EstimatedGpu): string {
  const { ms, dispatches, utilization, kernels, unknown } = prediction;
  const missing = unknown > 0 ? `; ${unknown} kernels were not compiled` : '';
  return [
    `\nPREDICTION for ${name}, not a measurement: ${run}`,
    `  ${ms.toPrecision(3)} ms, ${dispatches} dispatches (${gpu.dispatchUs} us each), MFU ${(100 * utilization).toFixed(1)} %${missing}`,
    ...kernels.slice(0, 8).map(([name, share]) => `  ${(100 * share).toFixed(1).padStart(5)} %  ${name}`),
  ].join('\n');
}
