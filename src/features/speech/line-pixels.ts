// Images of lines of text from outside: turned into the patches that a model of the task read-line reads.

import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { patchWidth } from './frame-kind.ts';

/** Pixels of an image, row after row: gray from 0 to 255, or RGBA as in ImageData. */
export interface ImagePixels {
  /** Pixels of a row. */
  readonly width: number;
  /** Number of rows. */
  readonly height: number;
  /** width × height values of gray, or four times as many of RGBA. */
  readonly data: ArrayLike<number>;
}

/** Pixels of a side of a patch; a line is one patch high. */
const side = Math.sqrt(patchWidth);

/** Quantile of the pixels that are taken for paper, and the smallest contrast of ink in gray levels. */
const [paperQuantile, minContrast] = [0.5, 16];

/** Largest number of pixels of an image. */
const maxPixels = 2 ** 26;

/**
 * Frames [T, 256] of an image of one line, from left to right: 0 is paper, 1 ink, whether the ink is dark or light. The
 * height is scaled to 16 pixels by the mean of the pixels below each one. Throws a HeddleError if it is no image.
 */
export function imageFrames(image: ImagePixels): Float32Array {
  const ink = inkOf(image);
  const scale = image.height / side;
  const width = Math.max(1, Math.round(image.width / scale));
  const patches = Math.ceil(width / side);
  const frames = new Float32Array(patches * patchWidth);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < width; x++) {
      const at = Math.floor(x / side) * patchWidth + y * side + (x % side);
      frames[at] = meanOf(ink, image, x * scale, y * scale, scale);
    }
  return frames;
}

/** The mean of a square of pixels; its edges count with the part that is inside. */
function meanOf(
  ink: Float32Array,
  { width, height }: ImagePixels,
  left: number,
  top: number,
  size: number,
): number {
  let [sum, area] = [0, 0];
  for (let y = Math.floor(top); y < Math.min(height, top + size); y++) {
    const tall = Math.min(y + 1, top + size) - Math.max(y, top);
    for (let x = Math.floor(left); x < Math.min(width, left + size); x++) {
      const part = tall * (Math.min(x + 1, left + size) - Math.max(x, left));
      sum += part * (ink[y * width + x] as number);
      area += part;
    }
  }
  return area > 0 ? sum / area : 0;
}

/** How much ink each pixel has, relative to the strongest. */
function inkOf({ width, height, data }: ImagePixels): Float32Array {
  const count = width * height;
  check(
    Number.isInteger(width) && Number.isInteger(height) && width >= 1 && height >= 1 && count <= maxPixels,
    msg`an image of ${width} x ${height} pixels; it has 1 to ${maxPixels} pixels`,
    { area: 'read' },
  );
  const channels = data.length / count;
  check(
    channels === 1 || channels === 4,
    msg`${data.length} numbers for ${width} x ${height} pixels; give 1 (gray) or 4 (RGBA) a pixel`,
    { area: 'read' },
  );
  const gray = Float32Array.from({ length: count }, (_, i) => {
    if (channels === 1) return data[i] as number;
    const [red, green, blue, alpha] = [0, 1, 2, 3].map((c) => data[4 * i + c] as number) as [
      number,
      number,
      number,
      number,
    ];
    // On white paper (Rec. 601).
    return 255 + ((0.299 * red + 0.587 * green + 0.114 * blue - 255) * alpha) / 255;
  });
  const paper = gray.toSorted()[Math.floor(count * paperQuantile)] as number;
  const ink = gray.map((level) => Math.abs(level - paper));
  const strongest = ink.reduce((most, level) => Math.max(most, level), 0);
  check(strongest >= minContrast, 'the image is empty: all pixels have nearly the same gray', {
    area: 'read',
  });
  return ink.map((level) => level / strongest);
}
