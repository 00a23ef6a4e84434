// A plausible report of a device, as the kernel lab makes it.

import type { DeviceReport } from '../../src/bench/device-report.ts';

/** The report; its numbers are invented. */
export const gpuReport: DeviceReport = {
  kind: 'heddle device report',
  version: 1,
  heddle: '0.1.0',
  when: '2026-11-29T12:00:00.000Z',
  adapter: 'nvidia ampere',
  browser: 'Google Chrome 156.0.8078.108',
  platform: 'Linux x86',
  software: false,
  conformance: { kernels: 100, wrong: [] },
  roofs: { bandwidth: 700, peak: 9000, spread: 0.02 },
  kernels: [
    { name: 'matmul 1024x1024x1024', flops: 2 ** 31, bytes: 12 * 2 ** 20, ms: 0.5, low: 0.49, high: 0.52 },
    { name: 'attention [4,512]', flops: 10 ** 9, bytes: 10 ** 7, ms: 0.4, low: 0.39, high: 0.42 },
  ],
  step: {
    preset: 'mid',
    batch: 32,
    ms: 12,
    modelFlops: 47_000_000_000,
    tokensPerSecond: 85_333,
    dispatches: 102,
  },
  decoding: [
    { preset: 'mid', parameters: 11_682_624, batch: 1, tokensPerSecond: 600 },
    { preset: 'mid', parameters: 11_682_624, batch: 8, tokensPerSecond: 4000 },
  ],
};

/** A report as an idle machine would have measured it: tests run on machines that do other work. */
export const steady = (report: DeviceReport): DeviceReport => ({
  ...report,
  roofs: { bandwidth: 8 * report.roofs.bandwidth, peak: 8 * report.roofs.peak, spread: 0 },
  kernels: report.kernels.map((kernel) => ({ ...kernel, low: kernel.ms, high: kernel.ms })),
});
