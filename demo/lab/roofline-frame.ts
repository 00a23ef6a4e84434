// The frame of the roofline chart: its axes for given points and roofs, the grid, and the lines of roofs.

import { type RoofRates, rooflineAxes } from '../../src/bench/roofline-model.ts';
import { formatNumber, inDigits } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { type Content, svg } from '../common/panel.ts';
import type { Point } from './roofline-points.ts';

/** Sizes of the chart in pixels, and the place of a value on each axis. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly isNarrow: boolean;
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

/** The axes for the points and the roofs, in a chart of a width. */
export function frameOf(
  points: readonly Pick<Point, 'intensity' | 'rate'>[],
  roofs: RoofRates | undefined,
  width: number,
): Frame {
  const isNarrow = width < 560;
  const height = isNarrow ? 320 : 430;
  const edge = { left: 46, right: 14, top: 28, bottom: 44 };
  const { intensity, rate } = rooflineAxes(points, roofs);
  const across = width - edge.left - edge.right;
  const down = height - edge.top - edge.bottom;
  return {
    width,
    height,
    isNarrow,
    x: (value) => edge.left + intensity.at(value) * across,
    y: (value) => height - edge.bottom - rate.at(value) * down,
    left: edge.left,
    right: width - edge.right,
    top: edge.top,
    bottom: height - edge.bottom,
    xTicks: intensity.ticks.filter((_, i) => i % (isNarrow ? 2 : 1) === 0),
    yTicks: rate.ticks,
  };
}

/** Lines and numbers of the axes. */
export function grid({ x, y, left, right, top, bottom, height, xTicks, yTicks }: Frame): Content {
  return svg`
    <g aria-hidden="true">
      ${xTicks.map(
        (t) => svg`
          <line class="grid" x1=${x(t)} x2=${x(t)} y1=${top} y2=${bottom}></line>
          <text class="tick" x=${x(t)} y=${bottom + 17} text-anchor="middle">${plain(t)}</text>`,
      )}
      ${yTicks.map(
        (t) => svg`
          <line class="grid" x1=${left} x2=${right} y1=${y(t)} y2=${y(t)}></line>
          <text class="tick" x=${left - 7} y=${y(t) + 4} text-anchor="end">${plain(t)}</text>`,
      )}
      <text class="axis" x=${right} y=${height - 6} text-anchor="end">FLOP/byte</text>
      <text class="axis" x="2" y=${top - 14}>GFLOP/s</text>
    </g>`;
}

const plain = (t: number): string =>
  t >= 1e4 || t < 1e-3 ? t.toExponential(0).replace('e+', 'e').replace('e-', 'e−') : inDigits(String(t));

/** Width of a character of the names of roofs, in pixels, at most. */
const characterWidth = 7;

/** Where the roofs of a device are in a frame. */
interface PlacedRoofs {
  /** SVG path of the slope of the bandwidth and of the line of the peak. */
  readonly path: string;
  /** Height of the peak. */
  readonly level: number;
  /** Transformation of a text on the slope; undefined if the slope is too short for it. */
  readonly place: string | undefined;
}

/** Places the roofs of a device, and on the slope a text of a width. */
export function placeRoofs(
  { bandwidth, peak }: RoofRates,
  { x, y, left, right, bottom }: Frame,
  textWidth = 0,
): PlacedRoofs {
  const ridge = peak.rate / bandwidth.rate;
  const level = y(peak.rate);
  // Extend the slope, known from two of its points, to the edge of the frame.
  const slope = (y(bandwidth.rate * ridge) - y((bandwidth.rate * ridge) / 10)) / (x(ridge) - x(ridge / 10));
  const atLeft = level - slope * (x(ridge) - left);
  const start = atLeft > bottom ? [x(ridge) - (level - bottom) / slope, bottom] : [left, atLeft];
  const angle = (Math.atan(slope) * 180) / Math.PI;
  // A little below the middle, but not over the axis on the left.
  const length = Math.hypot(x(ridge) - (start[0] as number), level - (start[1] as number));
  const share = Math.max(0.45, (textWidth / 2 + 12) / length);
  const middle = [
    (start[0] as number) * (1 - share) + x(ridge) * share,
    (start[1] as number) * (1 - share) + level * share,
  ] as const;
  const format = (n: number) => n.toFixed(1);
  const path = `M${start.map(format).join(' ')}L${format(x(ridge))} ${format(level)}H${format(right)}`;
  const fits = share * length + textWidth / 2 <= length;
  const place = `translate(${format(middle[0])} ${format(middle[1] - 9)}) rotate(${format(angle)})`;
  return { path, level, place: fits ? place : undefined };
}

/** The bandwidth slope and the peak line with their values. */
export function roofLines(roofs: RoofRates, frame: Frame): Content {
  const { right, isNarrow } = frame;
  const [bandwidth, peak] = [
    `${formatNumber(roofs.bandwidth.rate)} GB/s`,
    `${formatNumber(roofs.peak.rate)} GFLOP/s`,
  ];
  const slopeText = isNarrow ? bandwidth : say`copies ${bandwidth}`;
  const peakText = isNarrow ? peak : say`multiply-adds ${peak}`;
  const { path, level, place } = placeRoofs(roofs, frame, slopeText.length * characterWidth);
  return svg`
    <g class="roofs">
      <path class="roof" d=${path}></path>
      ${place === undefined ? '' : svg`<text class="roof-name" text-anchor="middle" transform=${place}>${slopeText}</text>`}
      <text class="roof-name" x=${right - 4} y=${level - 9} text-anchor="end">${peakText}</text>
    </g>`;
}
