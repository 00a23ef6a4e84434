// "Measure this device" at small sizes: the report is complete and plausible.

import { expect } from 'vitest';
import { deviceReportOf } from '../../src/bench/device-report.ts';
import { reportLine } from '../../src/bench/device-table.ts';
import { deviceMeasurements, measureDevice } from '../../src/bench/measure-device.ts';
import { renderMessage } from '../../src/core/message.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { steady } from '../support/device-report.ts';
import { gpuDevice, testGpu } from '../support/gpu.ts';
import { itInFull } from '../support/in-full.ts';

itInFull('measures conformance, roofs, kernels, a training step and decoding', async () => {
  const steps: string[] = [];
  const device = wrapDevice(await gpuDevice());
  const report = await measureDevice(device, await testGpu(), '0.1.0', deviceMeasurements.quick, {
    signal: new AbortController().signal,
    onProgress: (_done, _total, next) => steps.push(renderMessage(next)),
  });
  const idle = steady(report);
  expect(deviceReportOf(JSON.parse(reportLine(idle)))).toEqual(idle);
  expect(report.conformance).toMatchObject({ wrong: [] });
  expect(report.kernels).toHaveLength(deviceMeasurements.quick.kernels.length);
  expect(report.decoding.map(({ batch }) => batch)).toEqual([1, 8]);
  expect(steps.at(-1)).toBe('decoding at batch 8');
});
