// LineModel.read: images of any kind as pixels, and the text of a model that reads lines.

import type { ModelEngine } from '../../api/model-engine.ts';
import { check, HeddleError } from '../../core/errors.ts';
import { checkNames } from '../../core/fields.ts';
import { msg } from '../../core/message.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import { FrameTexts } from './decode/frame-texts.ts';
import { patchWidth } from './frame-kind.ts';
import { frames as frameSource } from './frame-source.ts';
import { drawLine, lineFrames } from './line-image.ts';
import { type ImagePixels, imageFrames } from './line-pixels.ts';

/** What a page can draw: an image, a canvas, an ImageBitmap, a frame of a video. */
interface Drawable {
  readonly width: unknown;
  readonly height: unknown;
}

/**
 * An image of one line of text: pixels such as those of ImageData, gray or RGBA; in a page also what a canvas draws and
 * the bytes of an image file; or a text, which is drawn as in the training.
 */
export type ImageInput = ImagePixels | Drawable | Blob | string;

/** Options of `LineModel.read`. */
export interface ReadOptions {
  /** Maximum number of tokens of a text. [that of the model] */
  readonly maxNewTokens?: number;
  /** Stops the call, which rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Number of lines that are read together. */
const batch = 8;

/** The reader of each engine, for the parameters that it was made with. */
const readers = new WeakMap<Engine, { readonly parameters: ParameterList; readonly reader: FrameTexts }>();

/** Reads images with a model on its engine; see `LineModel.read`. */
export async function readImages(
  model: ModelEngine,
  given: ImageInput | readonly ImageInput[],
  { maxNewTokens, signal, ...others }: ReadOptions = {},
): Promise<string | string[]> {
  checkNames({ area: 'read' }, ['maxNewTokens', 'signal'], Object.keys(others));
  const c = model.saved.config;
  const maxSource = frameSource.maxLength(c);
  const images = [given].flat() as ImageInput[];
  const sources: Float32Array[] = [];
  for (const image of images) {
    const frames =
      typeof image === 'string' ? lineFrames(drawLine(image)) : imageFrames(await pixelsOf(image));
    const length = frames.length / patchWidth;
    check(
      length <= maxSource,
      msg`the line is ${length} times as wide as high, the model reads ${maxSource}; cut it into shorter lines`,
      { area: 'read' },
    );
    sources.push(frames);
  }
  const texts = await model.inTurn(async () => {
    const engine = await model.engine();
    const { parameters, saved } = model;
    const known = readers.get(engine);
    const reader =
      known?.parameters === parameters
        ? known.reader
        : new FrameTexts(
            engine,
            saved,
            parameters,
            { batch, maxSource, maxTarget: c.maxLength },
            [c.startId],
            (peak) => model.write(peak),
          );
    readers.set(engine, { parameters, reader });
    const rows = sources.map((data) => ({ data, length: data.length / patchWidth, fill: 0 }));
    return reader.decode(rows, patchWidth, signal, maxNewTokens);
  }, signal);
  return Array.isArray(given) ? texts : (texts[0] as string);
}

/** The pixels of an image. Throws a HeddleError if it is none. */
async function pixelsOf(image: ImagePixels | Drawable | Blob): Promise<ImagePixels> {
  if (typeof image === 'object' && image !== null && 'data' in image && 'width' in image)
    return image as ImagePixels;
  const { createImageBitmap, OffscreenCanvas } = globalThis as Partial<Canvases>;
  if (!createImageBitmap || !OffscreenCanvas)
    throw new HeddleError('give { width, height, data }, pixels in gray or RGBA; other images need a page', {
      area: 'read',
    });
  const bitmap = await createImageBitmap(image).catch((cause: unknown) => {
    throw new HeddleError('the image cannot be decoded; give a PNG, JPEG or WebP file, or pixels', {
      area: 'read',
      cause,
      kind: 'input',
    });
  });
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

/** The parts of the DOM that decode images. */
interface Canvases {
  createImageBitmap(image: unknown): Promise<{ readonly width: number; readonly height: number }>;
  OffscreenCanvas: new (
    width: number,
    height: number,
  ) => {
    getContext(kind: '2d'): {
      drawImage(image: unknown, x: number, y: number): void;
      getImageData(x: number, y: number, width: number, height: number): ImagePixels;
    };
  };
}
