// Predicts the time of a run on a GPU that is not here, from the instructions of its kernels.

import type { EstimatedPass } from './compile-kernels.ts';
import type { KernelRow } from './disassembly.ts';
import type { Family } from './null-driver.ts';

/** A GPU with the numbers of AMD's data sheets. */
interface EstimatedGpu {
  readonly family: Family;
  /** FP32 peak without dual issue in TFLOP/s. */
  readonly tflops: number;
  /** Peak of FP16 matrices in TFLOP/s; that of FP32 if there is none. */
  readonly matrixTflops?: number;
  /** Memory bandwidth in GB/s. */
  readonly bandwidth: number;
}

/** The GPUs by name. */
export const estimatedGpus: Readonly<Record<string, EstimatedGpu>> = {
  'RX 7900 XTX': { family: 'navi31', tflops: 30.7, matrixTflops: 122.8, bandwidth: 960 },
  'RX 6900 XT': { family: 'navi21', tflops: 23.0, bandwidth: 512 },
  'RX Vega 64': { family: 'vega10', tflops: 12.7, bandwidth: 484 },
};
/** Assumed cost of a dispatch in microseconds: barrier, launch and drain of the GPU. */
const dispatchUs = 5;
/** Assumed share of the peak bandwidth that a memory-bound kernel reaches. */
const bandwidthShare = 0.8;

/**
 * Predicted time of a run: for each pass the larger of its arithmetic and its memory time, plus a fixed cost
 * per dispatch.
 */
export function estimate(
  name: string,
  { family, tflops, matrixTflops = tflops, bandwidth }: EstimatedGpu,
  run: string,
  passes: readonly EstimatedPass[],
  rows: readonly KernelRow[],
): string {
  const timed = passes.map((pass) => {
    const row = rows.find((r) => r.family === family && r.from === 'heddle' && r.name === pass.kernel);
    const peak = row?.loop.matrix ? matrixTflops : tflops;
    const arithmetic = pass.flops > 0 ? pass.flops / (peak * 1e6 * Math.max(row?.share ?? 0, 0.05)) : 0;
    const memory = pass.bytes / (bandwidth * 1e3 * bandwidthShare);
    return { ...pass, us: Math.max(arithmetic, memory) + dispatchUs };
  });
  const us = timed.reduce((sum, pass) => sum + pass.us, 0);
  const flops = passes.reduce((sum, pass) => sum + pass.flops, 0);
  const ops = new Map<string, number>();
  for (const pass of timed) ops.set(pass.op, (ops.get(pass.op) ?? 0) + pass.us);
  const parts = [...ops].sort((a, b) => b[1] - a[1]).slice(0, 8);
  return [
    `\nPREDICTION for ${name}, not a measurement: ${run}`,
    `  ${(us / 1000).toFixed(3)} ms, ${passes.length} dispatches (${dispatchUs} us each), MFU ${((100 * flops) / (tflops * 1e6 * us)).toFixed(1)} %`,
    ...parts.map(([op, time]) => `  ${((100 * time) / us).toFixed(1).padStart(5)} %  ${op}`),
  ].join('\n');
}
