// Recorded devices: the reports of bench/results/devices, software adapters named as such. Until kernels are measured,
// the roofline chart has their roofs and kernels as background, and those of the visitor's device once it is measured.

import { type DeviceReport, deviceReportOf } from '../../src/bench/device-report.ts';
import type { RoofRates } from '../../src/bench/roofline-model.ts';
import { formatNumber } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, nothing, svg } from '../common/panel.ts';
import { type Frame, frameOf, placeRoofs } from './roofline-frame.ts';

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

const peakText = ({ roofs }: DeviceReport): string => `${formatNumber(roofs.peak)} GFLOP/s`;

/** The kernels of a device as points. */
const kernelPoints = ({ kernels }: DeviceReport): { readonly intensity: number; readonly rate: number }[] =>
  kernels.map(({ flops, bytes, ms }) => ({ intensity: flops / bytes, rate: flops / ms / 1e6 }));

/** The devices of the chart: the visitor's, once it is measured, and the recorded ones. */
const devicesWith = (own: DeviceReport | undefined): readonly DeviceReport[] =>
  own ? [own, ...recordedDevices] : recordedDevices;

/** The frame in which all devices fit: their kernels, and the ridge of each roof. */
export function deviceFrame(own: DeviceReport | undefined, width: number): Frame {
  const devices = devicesWith(own);
  const [highest] = [...devices].sort((a, b) => b.roofs.peak - a.roofs.peak);
  const points = devices.flatMap((device) => [
    ...kernelPoints(device),
    { intensity: device.roofs.peak / device.roofs.bandwidth, rate: device.roofs.peak },
  ]);
  return frameOf(points, highest && ratesOf(highest), width);
}

/** What the chart shows, in words. */
export function devicesText(own: DeviceReport | undefined): string {
  const names = recordedDevices.map((device) => `${nameOf(device)}, ${peakText(device)}`).join('; ');
  const limits = say`Memory bandwidth limits kernels on the left, arithmetic those on the right; kernels near the roofline are efficient.`;
  return own
    ? say`The solid line is this device: ${peakText(own)}. The dashed lines are recorded: ${names}. ${limits}`
    : say`Nothing is measured yet. The background is recorded: ${names}. ${limits}`;
}

/**
 * Baselines of the names of roofs at given levels: above the line, or below it if another line or name is there;
 * undefined if there is no room. The text below the chart has all names.
 */
function nameBaselines(levels: readonly number[]): (number | undefined)[] {
  const taken: number[] = [];
  return levels.map((level) => {
    const isFree = (at: number) =>
      !taken.some((other) => Math.abs(other - at) < 15) &&
      !levels.some((line) => line !== level && line > at - 12 && line < at + 4);
    const found = [level - 7, level + 16].find(isFree);
    if (found !== undefined) taken.push(found);
    return found;
  });
}

/** Roofs and kernels of the devices. */
export function deviceMarks(own: DeviceReport | undefined, frame: Frame): Content {
  const { x, y, right, isNarrow } = frame;
  const devices = devicesWith(own);
  const baselines = nameBaselines(devices.map(({ roofs }) => y(roofs.peak)));
  return svg`
    <g aria-hidden="true">
      ${devices.map((device, i) => {
        const { path } = placeRoofs(ratesOf(device), frame);
        const baseline = baselines[i];
        const name = device === own ? say`this device` : nameOf(device);
        return svg`
          <g class=${device === own ? 'measured' : 'recorded'}>
            <path class="roof" d=${path}></path>
            ${kernelPoints(device).map(
              ({ intensity, rate }) => svg`<circle cx=${x(intensity)} cy=${y(rate)} r="4"></circle>`,
            )}
            ${
              baseline === undefined
                ? nothing
                : svg`<text class="roof-name" x=${right - 4} y=${baseline} text-anchor="end">${
                    isNarrow ? peakText(device) : `${name}: ${peakText(device)}`
                  }</text>`
            }
          </g>`;
      })}
    </g>`;
}
