// The name of the bandwidth roof: on its slope, between the axis on the left and the ridge, or left out.
import { expect, it } from 'vitest';
import { frameOf, placeRoofs } from '../../demo/lab/roofline-frame.ts';

const roofsOf = (bandwidth: number, peak: number) => ({
  bandwidth: { rate: bandwidth },
  peak: { rate: peak },
});

it.each([330, 700, 1240])('keeps the name of the slope off the axis in a chart of %i pixels', (width) => {
  const textWidth = 80;
  let shown = 0;
  for (const [bandwidth, peak] of [
    [0.917, 0.573],
    [1.94, 18.8],
    [5, 56.9],
    [300, 9000],
    [3000, 60_000],
  ] as const) {
    const roofs = roofsOf(bandwidth, peak) as Parameters<typeof placeRoofs>[0];
    const frame = frameOf([{ intensity: 0.3, rate: peak / 20 }], roofs, width);
    const { place } = placeRoofs(roofs, frame, textWidth);
    if (place === undefined) continue;
    shown++;
    const [x = 0, , angle = 0] = [...place.matchAll(/-?[\d.]+/g)].map(Number);
    const half = (textWidth / 2) * Math.cos((angle * Math.PI) / 180);
    expect(x - half).toBeGreaterThanOrEqual(frame.left);
    expect(x + half).toBeLessThanOrEqual(frame.x(peak / bandwidth) + 1);
  }
  expect(shown).toBeGreaterThan(width < 560 ? 0 : 3);
});
