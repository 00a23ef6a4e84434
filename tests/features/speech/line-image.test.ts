// Images of lines of text.
import { expect, it } from 'vitest';
import { patchWidth } from '../../../src/features/speech/frame-kind.ts';
import { drawLine, lineFrames, linePatchCount } from '../../../src/features/speech/line-image.ts';

/** Mean of the pixels of some columns of the image. */
function inkOf(text: string, from: number, to: number): number {
  const frames = lineFrames(drawLine(text));
  let [sum, count] = [0, 0];
  for (let x = from; x < to; x++)
    for (let y = 0; y < 16; y++, count++)
      sum += frames[Math.floor(x / 16) * patchWidth + 16 * y + (x % 16)] as number;
  return sum / count;
}

it('has patches for the widest letters, the same for the same text', () => {
  for (const text of ['a', 'hedge', 'of many words']) {
    expect(drawLine(text).length).toBe(linePatchCount(text.length) * patchWidth);
    expect(drawLine(text)).toEqual(drawLine(text));
  }
  expect(drawLine('hedge')).not.toEqual(drawLine('hedgy'));
});

it('has ink where the letters are, and noise after them', () => {
  const width = 16 * linePatchCount(12);
  expect(inkOf('mmmmmmmmmmmm', 4, 80)).toBeGreaterThan(0.15);
  expect(Math.abs(inkOf('i           ', 40, width))).toBeLessThan(0.02);
});

it('draws each letter differently', () => {
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  const images = letters.map((letter) => Array.from(lineFrames(drawLine(letter.repeat(3)))));
  const distance = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, x, i) => sum + Math.abs(x - (b[i] as number)), 0) / a.length;
  for (const [i, a] of images.entries())
    for (const b of images.slice(i + 1)) expect(distance(a, b)).toBeGreaterThan(0.05);
});
