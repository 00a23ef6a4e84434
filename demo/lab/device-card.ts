// What a visitor says about a measured device: a sentence, and a picture with its numbers. Loaded when it is wanted.

import type { DeviceReport } from '../../src/bench/device-report.ts';
import { formatNumber } from '../common/format.ts';
import { say } from '../common/page-texts.ts';
import { newPicture, pictureMargin, pictureWidth, write } from '../common/picture-card.ts';

/** A rate in GFLOP/s, in TFLOP/s from 1,000 on. */
const flops = (rate: number): string =>
  rate >= 1000 ? `${formatNumber(rate / 1000)} TFLOP/s` : `${formatNumber(rate)} GFLOP/s`;

/** Tokens a second with the largest batch. */
const decoded = ({ decoding }: DeviceReport): number =>
  Math.max(0, ...decoding.map(({ tokensPerSecond }) => tokensPerSecond));

/** The sentence, with the address of the lab. */
export function deviceSentence(report: DeviceReport, address: string): string {
  const { adapter, software, roofs, step } = report;
  const name = software ? say`My computer (${adapter}, no GPU)` : say`My GPU (${adapter})`;
  return say`${name} does ${flops(roofs.peak)} and ${formatNumber(roofs.bandwidth)} GB/s in a browser tab. It writes ${formatNumber(decoded(report))} tokens a second and learns from ${formatNumber(step.tokensPerSecond)}. Measure yours: ${address}`;
}

/** The picture. */
export function pictureOfDevice(report: DeviceReport): HTMLCanvasElement {
  const { adapter, software, roofs, step } = report;
  const { canvas, draw } = newPicture();
  const font = 'system-ui, sans-serif';
  const room = pictureWidth - 2 * pictureMargin;
  const soft = { font, ink: '--soft' };
  write(draw, software ? say`My computer without a GPU does` : say`My GPU does`, {
    x: pictureMargin,
    y: 96,
    size: 34,
    room,
    ...soft,
  });
  write(draw, flops(roofs.peak), { x: pictureMargin, y: 240, size: 150, room });
  write(draw, adapter, { x: pictureMargin, y: 300, size: 34, room, font });
  const facts: [value: string, name: string][] = [
    [`${formatNumber(roofs.bandwidth)} GB/s`, say`memory bandwidth`],
    [formatNumber(decoded(report)), say`tokens a second, translating`],
    [formatNumber(step.tokensPerSecond), say`tokens a second, training`],
  ];
  for (const [i, [value, name]] of facts.entries()) {
    const third = { x: pictureMargin + (i * room) / facts.length, room: room / facts.length - 24 };
    write(draw, value, { ...third, y: 430, size: 60, ink: i === 0 ? '--c1' : '--c2' });
    write(draw, name, { ...third, y: 474, size: 24, ...soft });
  }
  return canvas;
}
