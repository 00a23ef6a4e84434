// Translator on the GPU: order, batches, several translations, streaming, abort signals and alignments.

import { afterAll, describe, expect, it } from 'vitest';
import type { DecodeOptions } from '../../src/decode/decode-options.ts';
import type { StreamedToken, Translation } from '../../src/decode/text-options.ts';
import { Translator } from '../../src/decode/translator.ts';
import { cpuEngine } from '../../src/engine/cpu-engine.ts';
import { type Engine, gpuEngine } from '../../src/engine/engine.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { errorAbout } from '../support/expect-error.ts';
import { gpuDevice } from '../support/gpu.ts';
import { override } from '../support/override.ts';
import { preNormLetterModel } from '../support/saved-model.ts';

const model = preNormLetterModel();
const { config: c, source: letters } = model;
const texts = ['abc', 'e', 'bad cab', 'dabced abbcd', 'ace', 'b', 'de de'];
/** Ids of a text, with the end token. */
const idsOf = (text: string) => [...letters.encode(text), c.endId];

const engines: Engine[] = [];
let shared: Promise<Translator> | undefined;
afterAll(() => {
  for (const engine of engines) engine.destroy();
});
async function newEngine(): Promise<Engine> {
  const engine = gpuEngine(wrapDevice(await gpuDevice()));
  engines.push(engine);
  return engine;
}
/** A shared translator with batches of 3. */
function translator(): Promise<Translator> {
  shared ??= newEngine().then((engine) => new Translator(engine, model, { shape: { batch: 3 } }));
  return shared;
}

async function piecesOf(stream: AsyncIterable<StreamedToken>): Promise<StreamedToken[]> {
  const pieces: StreamedToken[] = [];
  for await (const piece of stream) pieces.push(piece);
  return pieces;
}

describe('translate', () => {
  it('keeps the order of the texts in any batches', async () => {
    const t = await translator();
    const together = await t.translate(texts);
    expect(new Set(together).size).toBeGreaterThan(3);
    for (const [i, text] of texts.entries()) expect(await t.translate([text])).toEqual([together[i]]);
    const whole = new Translator(await newEngine(), model, { shape: { batch: 8 } });
    expect(await whole.translate(texts)).toEqual(together);
    expect(await t.translate([])).toEqual([]);
  });

  it('decodes texts of similar lengths together', async () => {
    const engine = await newEngine();
    const lengths: number[][] = [];
    const prepare: Engine['prepare'] = async (...args) =>
      (await engine.prepare(...args)).map((program) =>
        override(program, {
          submit() {
            if (program.inputs.src) lengths.push([...(program.inputs.srcLens as Uint32Array)]);
            program.submit();
          },
        }),
      );
    const t = new Translator(override(engine, { prepare }), model, { shape: { batch: 2 } });
    await t.translate(['dabced abbcd', 'e', 'bad cab', 'ab']);
    expect(lengths).toEqual([
      [2, 3],
      [8, 13],
    ]);
  });

  it('gives no translation of an empty text, and translates ids as it does their text', async () => {
    const t = await translator();
    expect(await t.generate(['', 'e', ''])).toEqual([[], (await t.generate(['e']))[0], []]);
    expect(await t.decode(texts.map(idsOf), { beams: 2 })).toEqual(await t.generate(texts, { beams: 2 }));
  });

  it('returns the best translation of each method, and several with their scores', async () => {
    const t = await translator();
    const searches: DecodeOptions[] = [
      { beams: 4, numReturn: 4 },
      { method: 'sample', seed: 3, numReturn: 4, temperature: 0.8, topK: 4 },
    ];
    for (const options of searches) {
      const found = await t.generate(texts, options);
      expect(await t.translate(texts, options)).toEqual(found.map((candidates) => candidates[0]!.text));
      for (const candidates of found) {
        expect(candidates.length).toBe(4);
        for (const x of candidates) {
          expect(x.text).toBe(letters.decode(x.ids));
          expect(x.score).toBeCloseTo(x.logProb / (x.ids.length + (x.ended ? 1 : 0)), 10);
        }
        expect(candidates.map((x) => x.score)).toEqual(candidates.map((x) => x.score).sort((a, b) => b - a));
      }
    }
    const beams = (await t.generate(texts, searches[0])).map(
      (candidates) => new Set(candidates.map((x) => x.ids.join())).size,
    );
    expect(beams).toEqual(texts.map(() => 4));
  });

  it('gives the same on the float64 references as on the GPU', async () => {
    const cpu = new Translator(cpuEngine(), model, { shape: { batch: 3 } });
    const firstTexts = texts.slice(0, 3);
    for (const options of [{}, { beams: 2 }, { method: 'sample', seed: 4 }] as DecodeOptions[])
      expect(await cpu.translate(firstTexts, options)).toEqual(
        await (await translator()).translate(firstTexts, options),
      );
  });

  it('names the text that is too long and the option that is invalid', async () => {
    const t = await translator();
    await expect(t.translate(['a', 'abcdeabcdeabcde'])).rejects.toThrow(
      errorAbout({ area: 'translate', values: [2, 16, 14] }),
    );
    await expect(t.translate(['a'], { beams: 99 })).rejects.toThrow(
      errorAbout({ area: 'decode', options: ['beams'], values: [99] }),
    );
    expect(await t.translate(['a'])).toHaveLength(1);
  });

  it("ends with the signal's reason, and the next call works", async () => {
    const t = await translator();
    const want = await t.translate(texts);
    await expect(t.translate(texts, { signal: AbortSignal.abort(new Error('no more')) })).rejects.toThrow(
      new Error('no more'),
    );
    const controller = new AbortController();
    const running = t.translate(texts, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('stop')), 1);
    await expect(running).rejects.toThrow(new Error('stop'));
    expect(await t.translate(texts)).toEqual(want);
  });
});

describe('stream', () => {
  it('yields the tokens of the translation and its text', async () => {
    const t = await translator();
    for (const options of [{}, { method: 'sample', seed: 2 }, { minNewTokens: 5 }] as DecodeOptions[])
      for (const text of texts.slice(0, 4)) {
        const [[want]] = (await t.generate([text], options)) as [[Translation]];
        const pieces = await piecesOf(t.stream(text, options));
        expect(pieces.map((p) => p.id)).toEqual(want.ids);
        expect(pieces.map((p) => p.text).join('')).toBe(want.text);
      }
  });

  it('yields tokens while it decodes', async () => {
    const t = await translator();
    const stream = t.stream('abc', { minNewTokens: 12 });
    expect((await stream.next()).done).toBe(false);
    // Leaving the loop ends the decoding and releases the engine.
    await stream.return();
    expect(await t.translate(['abc'])).toHaveLength(1);
  });

  it('stops at the signal', async () => {
    const t = await translator();
    const controller = new AbortController();
    const seen: StreamedToken[] = [];
    const read = async () => {
      for await (const piece of t.stream('abc', { minNewTokens: 12, signal: controller.signal })) {
        seen.push(piece);
        if (seen.length === 2) controller.abort(new Error('enough'));
      }
    };
    await expect(read()).rejects.toThrow(new Error('enough'));
    expect(seen.length).toBe(2);
  });

  it('rejects beam search', async () => {
    const t = await translator();
    await expect(piecesOf(t.stream('abc', { beams: 2 }))).rejects.toThrow(errorAbout({ area: 'stream' }));
  });
});

describe('align', () => {
  it('returns the attention of each head, as the references do', async () => {
    const t = await translator();
    const [[best]] = (await t.generate(['bad cab'])) as [[Translation]];
    const source = idsOf('bad cab');
    const got = await t.align(source, best.ids);
    const want = await new Translator(cpuEngine(), model, { shape: { batch: 1 } }).align(source, best.ids);
    const [S, T] = [8, best.ids.length + 1];
    expect(got).toMatchObject({ layers: 2, heads: 2, target: [...best.ids, c.endId] });
    expect(got.source).toEqual([...letters.encode('bad cab'), c.endId]);
    expect(got.weights.length).toBe(2 * 2 * T * S);
    for (const [i, x] of want.weights.entries()) expect(Math.abs(got.weights[i]! - x)).toBeLessThan(1e-5);
    for (let row = 0; row < 4 * T; row++) {
      const sum = got.weights.subarray(row * S, (row + 1) * S).reduce((a, b) => a + b);
      expect(sum).toBeCloseTo(1, 5);
    }
    // Heads differ, so the test sees the order of layers and heads.
    expect(got.weights.subarray(0, T * S)).not.toEqual(got.weights.subarray(T * S, 2 * T * S));
  });

  it('rejects invalid ids', async () => {
    await expect((await translator()).align(idsOf('a'), [99])).rejects.toThrow(
      errorAbout({ area: 'align', values: [99] }),
    );
  });
});
