// Model.read on the CPU: images of any size and colour as the patches of a line, and errors.

import { expect, it } from 'vitest';
import { Model } from '../../../src/api/model.ts';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import { patchWidth } from '../../../src/features/speech/frame-kind.ts';
import { frames as frameSource } from '../../../src/features/speech/frame-source.ts';
import { drawLine, lineFrames } from '../../../src/features/speech/line-image.ts';
import { imageFrames } from '../../../src/features/speech/line-pixels.ts';
import { LineModel } from '../../../src/features/speech/speech-model.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { initializeWeights } from '../../../src/model/initialize-weights.ts';
import { modelConfig } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { presets } from '../../../src/model/presets.ts';
import { createCharacterTokenizer } from '../../../src/text/tokenizers/character-tokenizer.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { EngineSession } from '../../support/session.ts';

const special = { pad: 0, start: 1, end: 2, unknown: 3 };

/** The frames of a text as an image, whose pixels are `scale` wide and high. */
function imageOf(text: string, scale: number, paper: number, ink: number) {
  const frames = lineFrames(drawLine(text));
  const [width, height] = [(scale * frames.length) / 16, 16 * scale];
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [column, row] = [Math.floor(x / scale), Math.floor(y / scale)];
      const part = frames[Math.floor(column / 16) * patchWidth + 16 * row + (column % 16)] as number;
      const gray = paper + (ink - paper) * part;
      data.set([gray, gray, gray, 255], 4 * (y * width + x));
    }
  return { width, height, data };
}

it.each([
  [1, 255, 0],
  [3, 255, 0],
  [2, 20, 230],
])('images enlarged %i times, on paper %i with ink %i, have the patches of the line', (scale, paper, ink) => {
  const frames = imageFrames(imageOf('hedge', scale, paper, ink));
  const drawn = lineFrames(drawLine('hedge'));
  expect(frames).toHaveLength(drawn.length);
  const strongest = drawn.reduce((most, x) => Math.max(most, x), 0);
  const worst = Math.max(...frames.map((x, i) => Math.abs(x - Math.max(0, drawn[i] as number) / strongest)));
  expect(worst).toBeLessThan(0.25); // noise below paper is gray too
});

it('reads images, texts that it draws, and lists; names what is no line', async () => {
  const config = modelConfig({ ...presets['line-tiny'], srcVocab: 30, tgtVocab: 30 });
  const target = createCharacterTokenizer({
    characters: '____abcdefghijklmnopqrstuvwxyz',
    size: 30,
    special,
  });
  const weights = initializeWeights(config, parameterList(config, frameSource), 1);
  const session = new EngineSession(memoryFiles(), async () => cpuEngine());
  const model = new LineModel({ config, sourceKind: frameSource, source: target, target, weights }, session);
  const [one, two] = await model.read([imageOf('hedge', 2, 255, 0), 'hedge'], { maxNewTokens: 3 });
  expect([typeof one, typeof two]).toEqual(['string', 'string']);
  expect(await model.read('hedge', { maxNewTokens: 3 })).toBe(two);
  await expect(model.read({ width: 4, height: 4, data: new Uint8Array(16) })).rejects.toThrow(
    errorAbout({ area: 'read' }),
  );
  await expect(model.read({ width: 4, height: 4, data: new Uint8Array(9) })).rejects.toThrow(
    errorAbout({ area: 'read', values: [9] }),
  );
  await expect(model.read({ width: 0, height: 4, data: [] })).rejects.toThrow(
    errorAbout({ area: 'read', values: [0, 4] }),
  );
  const wide = { width: 900, height: 16, data: Uint8Array.from({ length: 14400 }, (_, i) => (i % 9) * 20) };
  await expect(model.read(wide)).rejects.toThrow(errorAbout({ area: 'read', values: [57] }));
  await expect(model.read(new Blob(['x']))).rejects.toThrow(errorAbout({ area: 'read' }));
  // @ts-expect-error the option is unknown
  await expect(model.read([], { maxNewToken: 2 })).rejects.toThrow(
    errorAbout({ area: 'read', values: ['maxNewToken', 'maxNewTokens'] }),
  );
  const saved = { config, sourceKind: frameSource, source: target, target, weights };
  expect(() => new Model(saved, session)).toThrow(
    errorAbout({
      kind: 'unsupported',
      values: ['The model', 'loadSpeechModel or loadLineModel of heddle/speech'],
    }),
  );
  model.dispose();
});
