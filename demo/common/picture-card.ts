// Pictures of results to send to somebody, drawn on a canvas in the colours of the page: their ground with the border of
// threads, texts that fit, and the way to the clipboard.

import { say } from './page-texts.ts';
import { download } from './save-blob.ts';
import { colour } from './theme.ts';

/** Size of a picture in pixels: that of link previews. */
export const [pictureWidth, pictureHeight] = [1200, 630];
/** Space between its content and its left and right edge, in pixels. */
export const pictureMargin = 64;

const display = () => getComputedStyle(document.documentElement).getPropertyValue('--display') || 'serif';

/** A canvas with the ground, the border of threads and the name of the project. */
export function newPicture(): {
  readonly canvas: HTMLCanvasElement;
  readonly draw: CanvasRenderingContext2D;
} {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [pictureWidth, pictureHeight];
  const draw = canvas.getContext('2d') as CanvasRenderingContext2D;
  draw.fillStyle = colour('--card');
  draw.fillRect(0, 0, pictureWidth, pictureHeight);
  const [warp, weft] = [colour('--c1'), colour('--c2')];
  // Threads that pass over and under each other, as in the logo.
  for (let x = 0; x < pictureWidth; x += 24) {
    draw.fillStyle = (x / 24) % 2 === 0 ? warp : weft;
    draw.fillRect(x, 0, 24, 10);
    draw.fillStyle = (x / 24) % 2 === 0 ? weft : warp;
    draw.fillRect(x, 10, 24, 10);
  }
  draw.fillStyle = colour('--soft');
  draw.font = '24px system-ui, sans-serif';
  draw.fillText(say`heddle: a transformer that trains in the browser`, pictureMargin, pictureHeight - 36);
  return { canvas, draw };
}

/** Writes a text in the largest size up to `size` that fits `room` pixels. */
export function write(
  draw: CanvasRenderingContext2D,
  text: string,
  { x, y, size, room, font = display(), ink = '--ink' }: TextPlace,
): number {
  let used = size;
  const set = () => {
    draw.font = `${used}px ${font}`;
  };
  for (set(); used > 18 && draw.measureText(text).width > room; set()) used -= 2;
  draw.fillStyle = colour(ink);
  draw.fillText(text, x, y, room);
  return draw.measureText(text).width;
}

/** Where a text goes; `room`: its greatest width. */
export interface TextPlace {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly room: number;
  readonly font?: string;
  readonly ink?: string;
}

/** Copies a picture, or downloads it if the browser does not let a page copy pictures; resolves to a message. */
export async function keepPicture(canvas: HTMLCanvasElement, name: string): Promise<string> {
  const png = new Promise<Blob>((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture')))),
  );
  try {
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': png })]);
    return say`The picture was copied: paste it into a message.`;
  } catch {
    download(await png, name);
    return say`The picture was saved as ${name}.`;
  }
}
