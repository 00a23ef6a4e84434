// The image of a line that a model of the task read-line has read, enlarged.

import { drawLine, lineFrames, patchWidth } from '../../../src/entries/speech.ts';
import { say } from '../../common/page-texts.ts';

/** Side of a patch, and size of a pixel on the screen. */
const [side, scale] = [16, 3];

/** The image of a text as the model sees it: dark ink on white paper. */
export function linePicture(text: string): HTMLCanvasElement {
  const frames = lineFrames(drawLine(text));
  const width = (frames.length / patchWidth) * side;
  const image = new ImageData(width, side);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < width; x++) {
      const ink = frames[Math.floor(x / side) * patchWidth + y * side + (x % side)] as number;
      image.data.fill(
        255 * (1 - Math.max(0, Math.min(1, ink))),
        4 * (y * width + x),
        4 * (y * width + x) + 3,
      );
      image.data[4 * (y * width + x) + 3] = 255;
    }
  const canvas = document.createElement('canvas');
  canvas.className = 'line-picture';
  canvas.width = width;
  canvas.height = side;
  canvas.style.width = `${scale * width}px`;
  canvas.role = 'img';
  canvas.ariaLabel = say`The image that the model has read: ${text}`;
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas;
}
