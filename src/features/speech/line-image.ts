// Images of a line of text for the task read-line: letters of a small raster font of our own, drawn in gray at a random
// place, size and slant, with noise. In a page the letters are those of its own fonts, on a canvas.

import { keyOf, type Random, random } from '../../core/random.ts';
import { hashText } from '../../text/corpus/pairs.ts';
import { patchWidth } from './frame-kind.ts';

/** Pixels of a side of a patch, which is a frame of `patchWidth` numbers; a line is one patch high. */
const side = 16;

/**
 * The letters: seven rows of five pixels, one hexadecimal number of two digits for each row; the highest of five bits
 * is the leftmost pixel.
 */
const glyphs: Readonly<Record<string, string>> = {
  a: '00000e010f110f',
  b: '10101e1111111e',
  c: '00000e1110110e',
  d: '01010f1111110f',
  e: '00000e111f100e',
  f: '0609081c080808',
  g: '000f11110f010e',
  h: '10101611111111',
  i: '04000c0404040e',
  j: '0200060202120c',
  k: '10101214181412',
  l: '0c04040404040e',
  m: '00001a15151515',
  n: '00001619111111',
  o: '00000e1111110e',
  p: '001e11111e1010',
  q: '000f11110f0101',
  r: '00001619101010',
  s: '00000f100e011e',
  t: '08081c08080906',
  u: '0000111111130d',
  v: '00001111110a04',
  w: '0000111115150a',
  x: '0000110a040a11',
  y: '001111110f010e',
  z: '00001f0204081f',
};

/** Pixels from one letter to the next, before scaling. */
const advance = 6;
/** Maximum scale and slant of the letters, in pixels per pixel. */
const [minScale, maxScale, maxSlant] = [1.4, 1.9, 0.25];

/** Draws a text with the raster font: gray pixels [16, width], 0 to 1. */
function drawRaster(text: string, width: number, r: Random): Float32Array {
  const scale = minScale + (maxScale - minScale) * r.uniform();
  const slant = maxSlant * (2 * r.uniform() - 1);
  const [left, top] = [1 + 3 * r.uniform(), 0.5 + (side - 1 - 7 * scale) * r.uniform()];
  const pixels = new Float32Array(side * width);
  const ink = (x: number, y: number): number => {
    const row = Math.floor((y - top) / scale);
    if (row < 0 || row > 6) return 0;
    const at = (x - left - slant * (side / 2 - y)) / scale;
    const letter = glyphs[text[Math.floor(at / advance)] ?? ''];
    const column = Math.floor(at - advance * Math.floor(at / advance));
    if (!letter || column > 4) return 0;
    return (Number.parseInt(letter.slice(2 * row, 2 * row + 2), 16) >> (4 - column)) & 1;
  };
  // Four samples of each pixel: gray edges (supersampling).
  for (let y = 0; y < side; y++)
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const dy of [0.25, 0.75]) for (const dx of [0.25, 0.75]) sum += ink(x + dx, y + dy);
      pixels[y * width + x] = sum / 4;
    }
  return pixels;
}

/** The fonts of a page. */
const fonts = ['serif', 'sans-serif', 'monospace'];

/** Draws a text with the fonts of a page; undefined if there is no canvas. */
function drawCanvas(text: string, width: number, r: Random): Float32Array | undefined {
  if (typeof OffscreenCanvas === 'undefined') return undefined;
  const font = `${r.int(2) ? 'italic ' : ''}${11 + r.int(4)}px ${r.pick(fonts)}`;
  const left = 1 + 3 * r.uniform();
  const canvas = new OffscreenCanvas(width, side).getContext('2d', { willReadFrequently: true });
  if (!canvas) return undefined;
  canvas.font = font;
  canvas.fillStyle = '#fff';
  canvas.fillText(text, left, 11.5 + r.uniform());
  const { data } = canvas.getImageData(0, 0, width, side);
  return Float32Array.from({ length: side * width }, (_, i) => (data[4 * i + 3] as number) / 255);
}

/** Contrast, and the deviation of the noise. */
const [minContrast, noise] = [0.6, 0.08];

/** Pixels are stored in bytes: `zero` is white, `one` above it is black. */
const [zero, one] = [64, 160];

/** Patches of the image of a text of `length` characters: enough for the widest letters. */
export const linePatchCount = (length: number): number => Math.ceil((8 + length * advance * maxScale) / side);

/**
 * Patches [T, 256] of an image of a line, from left to right, each row after row, as bytes for `lineFrames`. T is that
 * of `linePatchCount`; the image depends on the text only.
 */
export function drawLine(text: string): Uint8Array {
  const r = random(keyOf('line image'), hashText(text));
  const width = side * linePatchCount(text.length);
  const pixels = drawCanvas(text, width, r) ?? drawRaster(text, width, r);
  const contrast = minContrast + (1 - minContrast) * r.uniform();
  const patches = new Uint8Array(side * width);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < width; x++) {
      const gray = contrast * (pixels[y * width + x] as number) + noise * r.normal();
      const at = Math.floor(x / side) * patchWidth + y * side + (x % side);
      patches[at] = Math.max(0, Math.min(255, Math.round(zero + one * gray)));
    }
  return patches;
}

/** Patches as frames: 0 is white, 1 black. */
export const lineFrames = (patches: Uint8Array): Float32Array =>
  Float32Array.from(patches, (byte) => (byte - zero) / one);
