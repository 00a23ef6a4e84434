// The measurement of a device in Node, for npm run bench:device.

import { version } from '../../package.json';
import { reportLine } from '../../src/bench/device-table.ts';
import { deviceMeasurements, measureDevice } from '../../src/bench/measure-device.ts';
import { openDevice } from '../../src/engine/gpu/device.ts';
import { dawnGpu } from '../../src/host/dawn.ts';

export { readDeviceReport } from '../../src/bench/device-report.ts';

/** Measures the adapter of Dawn; small sizes if it computes on the CPU. Returns the report as a line. */
export async function measureNode(onProgress: (text: string) => void): Promise<string> {
  const gpu = await dawnGpu();
  const device = await openDevice(gpu);
  try {
    const { full, quick } = deviceMeasurements;
    const report = await measureDevice(device, gpu, version, device.traits.software ? quick : full, {
      signal: new AbortController().signal,
      onProgress: (done, total, next) => onProgress(`${done} of ${total}: ${next}`),
    });
    return reportLine(report);
  } finally {
    device.destroy();
  }
}
