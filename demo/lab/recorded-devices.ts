// Recorded devices: the reports of bench/results/devices, software adapters named as such. Until something is
// measured, the roofline chart has their roofs and kernels as background.

import { type DeviceReport, deviceReportOf } from '../../src/bench/device-report.ts';
import type { RoofRates } from '../../src/bench/roofline-model.ts';
import { formatNumber } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, svg } from '../common/panel.ts';
import { type Frame, placeRoofs } from './roofline-frame.ts';

/** The reports in bench/results/devices when the page was built. */
const files = import.meta.glob<unknown>('../../bench/results/devices/*.json', {
  eager: true,
  import: 'default',
});

/** The reports, GPUs first. */
export const recordedDevices: readonly DeviceReport[] = Object.values(files)
  .map(deviceReportOf)
  .sort((a, b) => Number(a.software) - Number(b.software) || b.roofs.peak - a.roofs.peak);

/** Name of a device in the chart: without versions of its driver. */
const nameOf = ({ adapter, software }: DeviceReport): string =>
  `${adapter.split(':', 1)[0]}${software ? ' (software)' : ''}`;

const ratesOf = ({ roofs: { bandwidth, peak } }: DeviceReport): RoofRates => ({
  bandwidth: { rate: bandwidth },
  peak: { rate: peak },
});

/** The roofs of the fastest recorded device. */
export const highestRoofs: RoofRates | undefined = recordedDevices
  .map(ratesOf)
  .sort((a, b) => b.peak.rate - a.peak.rate)[0];

const points = recordedDevices.map(({ kernels }) =>
  kernels.map(({ flops, bytes, ms }) => ({ intensity: flops / bytes, rate: flops / ms / 1e6 })),
);

/** The points that the chart of recorded devices must show: their kernels, and the ridge of each roof. */
export const recordedPoints: readonly { readonly intensity: number; readonly rate: number }[] = [
  ...points.flat(),
  ...recordedDevices.map(({ roofs }) => ({ intensity: roofs.peak / roofs.bandwidth, rate: roofs.peak })),
];

/** What the background is, in words. */
export const recordedText = say`Nothing is measured yet. The background is recorded: ${recordedDevices
  .map(nameOf)
  .join(
    '; ',
  )}. Memory bandwidth limits kernels on the left, arithmetic those on the right; kernels near the roofline are efficient.`;

/** Roofs and kernels of the recorded devices. */
export function recordedMarks(frame: Frame): Content {
  const { x, y, left, right } = frame;
  const levels = recordedDevices.map((device) => y(device.roofs.peak));
  /** Names are at the right end of their line, and further left if another name is there. */
  const shift = (level: number, i: number) =>
    (levels.slice(0, i).filter((other) => Math.abs(other - level) < 18).length * (right - left)) / 2;
  return svg`
    <g class="recorded" aria-hidden="true">
      ${recordedDevices.map((device, i) => {
        const { path, level } = placeRoofs(ratesOf(device), frame);
        return svg`
          <path class="roof" d=${path}></path>
          ${points[i]?.map(
            ({ intensity, rate }) => svg`<circle cx=${x(intensity)} cy=${y(rate)} r="4"></circle>`,
          )}
          <text class="roof-name" x=${right - 4 - shift(level, i)} y=${level - 7} text-anchor="end">${`${nameOf(device)}: ${formatNumber(device.roofs.peak)} GFLOP/s`}</text>`;
      })}
    </g>`;
}
