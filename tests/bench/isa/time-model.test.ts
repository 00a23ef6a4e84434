// Predictions of times: their parts, and their order beside what CPU adapters have measured.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import type { KernelRow } from '../../../bench/isa/kernel-rows.ts';
import { predictionsOf, predictionTable } from '../../../bench/isa/predictions.ts';
import {
  type EstimatedGpu,
  estimatedGpus,
  passTime,
  predict,
  reachedShare,
  roofTime,
} from '../../../bench/isa/time-model.ts';
import type { DeviceReport } from '../../../src/bench/device-report.ts';

const gpu: EstimatedGpu = {
  gpu: 'nv172',
  adapter: /rtx 3060/i,
  tflops: 10,
  bandwidth: 100,
  cores: 10,
  multiplyAddsPerAccess: 16,
  enoughThreads: 400,
  dispatchUs: 5,
};
const counts = { instructions: 100, fma: 80, alu: 20, mem: 4, matrix: 0, spill: 0 };
const row: KernelRow = {
  gpu: 'nv172',
  from: 'heddle',
  name: 'matmul.matmul {}',
  looped: true,
  loop: counts,
  round: counts,
  instructions: 200,
  parsed: 200,
  spills: 0,
  threads: 800,
};
const pass = { kernel: row.name, op: 'matmul', flops: 8e8, bytes: 1000, workgroups: 100 };

it('takes the share of the loop, less for slow memory and for few threads', () => {
  expect(reachedShare(row, gpu)).toBe(0.8);
  expect(reachedShare({ ...row, round: { ...counts, mem: 10 } }, gpu)).toBe(0.5);
  expect(reachedShare({ ...row, threads: 200 }, gpu)).toBe(0.4);
});

it('takes the larger of arithmetic and memory, and the time of the dispatch', () => {
  expect(passTime(pass, row, gpu)).toBeCloseTo(8e8 / (1e7 * 0.8) + 5);
  expect(passTime({ ...pass, bytes: 8e7 }, row, gpu)).toBeCloseTo(1000 + 5);
  // 11 workgroups take as long as 20 on 10 cores.
  expect(passTime({ ...pass, workgroups: 11 }, row, gpu)).toBeCloseTo((100 * 20) / 11 + 5);
});

it('adds up passes, and names the kernels that dominate', () => {
  const small = { ...pass, kernel: 'clip.clip {}', op: 'clip', flops: 0, workgroups: 1 };
  const predicted = predict([pass, pass, small], [row], gpu);
  expect(predicted).toMatchObject({ dispatches: 3, unknown: 1 });
  expect(predicted.ms).toBeCloseTo((105 + 105 + 5.0125) / 1000);
  expect(predicted.kernels.map(([name]) => name)).toEqual(['matmul.matmul', 'clip.clip']);
});

it('puts predictions beside the reports of the same GPU', () => {
  const runs = { nv172: { 'mid training 32': [pass], 'mid decoding step 1': [pass] } };
  const predictions = predictionsOf([row], runs, '2026-12-02');
  expect(Object.keys(predictions)).toEqual(['RTX 3060']);
  const report = (adapter: string): DeviceReport =>
    ({
      adapter,
      step: { preset: 'mid', batch: 32, ms: 12 },
      decoding: [{ preset: 'mid', batch: 1, tokensPerSecond: 500 }],
    }) as unknown as DeviceReport;
  const of = (adapter: string) =>
    predictionTable(predictions, [report(adapter)])
      .split('\n')
      .at(-1);
  expect(of('NVIDIA GeForce RTX 3060')).toMatch(
    /^\| RTX 3060 \| 2026-12-02 \| mid \| .* ms \| 12 ms \| .* ms \| 2 ms \|/,
  );
  expect(of('NVIDIA GeForce GTX 1060')).toMatch(/ms \| – \| .* ms \| – \|/);
});

it('has adapters, cores and speeds for each GPU', () => {
  for (const { tflops, bandwidth, cores, dispatchUs } of Object.values(estimatedGpus))
    for (const value of [tflops, bandwidth, cores, dispatchUs]) expect(value).toBeGreaterThan(0);
});

const results = resolve(import.meta.dirname, '../../../bench/results');
const read = (path: string) => JSON.parse(readFileSync(resolve(results, path), 'utf8'));

/** Kernels of a run of `bench:peers` on a CPU adapter. */
interface MeasuredKernel {
  readonly flops: number;
  readonly bytes: number;
  readonly forms: readonly { readonly contestant: string; readonly us: number }[];
}

it.each([
  ['lavapipe', '2026-11-25-dawn-kernels', '2026-11-29-dawn-mesa-software-llvmpipe-mesa-25-0-7-2-deb13u1'],
  ['SwiftShader', '2026-11-25-chrome-kernels', '2026-11-29-chrome-google-swiftshader'],
])('orders the kernels that %s has measured, by its own roofs', (_, kernels, device) => {
  const { roofs } = read(`devices/${device}.json`) as DeviceReport;
  const own = { flops: roofs.peak * 1e3, bytes: roofs.bandwidth * 1e3, dispatchUs: 20 };
  const timed = (read(`${kernels}.json`).kernels as MeasuredKernel[]).map((kernel) => ({
    predicted: roofTime(kernel, own),
    measured: kernel.forms.find(({ contestant }) => contestant === 'heddle')?.us ?? 0,
  }));
  const pairs = timed.flatMap((a, i) => timed.slice(i + 1).map((b) => [a, b] as const));
  const apart = pairs.filter(
    ([a, b]) => Math.max(a.measured, b.measured) > 1.5 * Math.min(a.measured, b.measured),
  );
  const right = apart.filter(([a, b]) => a.predicted > b.predicted === a.measured > b.measured);
  expect(apart.length).toBeGreaterThan(200);
  expect(right.length / apart.length).toBeGreaterThan(0.9);
});
