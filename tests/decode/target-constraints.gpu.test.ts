// Translations that begin with a prefix and do not contain excluded words, in every method of decoding.

import { afterAll, describe, expect, it } from 'vitest';
import type { TextOptions } from '../../src/decode/text-options.ts';
import { Translator } from '../../src/decode/translator.ts';
import { type Engine, gpuEngine } from '../../src/engine/engine.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { features } from '../../src/features/features.ts';
import { errorAbout } from '../support/expect-error.ts';
import { gpuDevice } from '../support/gpu.ts';
import { preNormLetterModel } from '../support/saved-model.ts';

const model = preNormLetterModel();
const texts = ['abc', 'e', 'bad cab', 'dabced abbcd', '', 'ace', 'b', 'de de'];

const engines: Engine[] = [];
let shared: Promise<Translator> | undefined;
afterAll(() => {
  for (const engine of engines) engine.destroy();
});
/** A shared translator with batches of 3. */
const translator = (): Promise<Translator> => {
  shared ??= gpuDevice().then((device) => {
    const engine = gpuEngine(wrapDevice(device));
    engines.push(engine);
    return new Translator(engine, model, { shape: { batch: 3 }, ruledTexts: features.ruledTexts });
  });
  return shared;
};

const methods: TextOptions[] = [
  {},
  { beams: 3, numReturn: 3 },
  { beams: 3, earlyStopping: 'shrink' },
  { method: 'sample', numReturn: 2, seed: 3 },
  { phrases: texts.map((_, i) => (i % 2 ? ['cc'] : [])) },
  { phrases: texts.map((_, i) => (i < 3 ? ['cc'] : [])) }, // fewer than a batch
  { suppressTokens: model.target.encode('d'), minNewTokens: 3, noRepeatNgramSize: 1 },
];

describe('a prefix', () => {
  for (const options of methods)
    it(`begins every translation: ${JSON.stringify(options)}`, async () => {
      const prefixes = ['dd', '', 'a', 'eda', 'b', 'c', 'dad', 'e'];
      const t = await translator();
      const found = await t.generate(texts, { ...options, prefix: prefixes });
      for (const [i, all] of found.entries()) {
        expect(all.length > 0).toBe(texts[i] !== '');
        for (const { text, logProb } of all) {
          expect(text.startsWith(prefixes[i] as string)).toBe(true);
          expect(Number.isFinite(logProb)).toBe(true);
        }
      }
      // A text without a prefix is translated as without the option, and beams differ after a prefix.
      const [, free] = await t.generate(texts, options);
      expect(found[1]?.map(({ text }) => text)).toEqual(free?.map(({ text }) => text));
      if (options.beams === 3 && options.numReturn)
        expect(new Set(found[3]?.map(({ text }) => text)).size).toBe(3);
    });

  it('is streamed, and gives the translation that continues it', async () => {
    const t = await translator();
    const [[best] = []] = await t.generate(['abc'], { prefix: 'dad' });
    let text = '';
    for await (const piece of t.stream('abc', { prefix: 'dad' })) text += piece.text;
    expect(text).toBe(best?.text);
    const pieces: string[] = [];
    const [, [second] = []] = await t.generate(['abc', 'e'], {
      prefix: ['dad', 'c'],
      onPiece({ text: piece }, i) {
        pieces[i] = (pieces[i] ?? '') + piece;
      },
    });
    expect(pieces).toEqual([best?.text, second?.text]);
    expect(second?.text).toMatch(/^c/);
    // The translation as a prefix of itself.
    const known = best?.text.replace(/\[.*/, '') ?? '';
    expect(known.length).toBeGreaterThan(2);
    const [[again] = []] = await t.generate(['abc'], { prefix: known });
    expect(again?.text).toBe(best?.text);
  });

  it('is refused if it does not fit', async () => {
    const t = await translator();
    const prefixed = (prefix: string | string[], options: TextOptions = {}) =>
      t.generate(texts, { ...options, prefix });
    await expect(prefixed('dq')).rejects.toThrow(errorAbout({ area: 'prefix', values: ['dq'] }));
    await expect(prefixed(['a'])).rejects.toThrow(errorAbout({ area: 'prefix', values: [1, 8] }));
    await expect(prefixed('aaaa', { maxNewTokens: 4 })).rejects.toThrow(
      errorAbout({ area: 'prefix', values: ['aaaa', 4] }),
    );
    await expect(prefixed('a', { splitSentences: true })).rejects.toThrow(
      errorAbout({ options: ['numReturn'] }),
    );
  });
});

describe('bad words', () => {
  for (const options of methods.slice(0, 6))
    it(`of several tokens are in no translation: ${JSON.stringify(options)}`, async () => {
      const t = await translator();
      const free = (await t.generate(texts, options)).flat().map(({ text }) => text);
      const pairs = free.flatMap((text) => Array.from(text.slice(1), (_, i) => text.slice(i, i + 2)));
      const badWords = [...new Set(pairs)]
        .filter((word) => /^[a-e]+$/.test(word) && word !== 'cc')
        .slice(0, 3);
      expect(badWords.length).toBeGreaterThan(0);
      const found = (await t.generate(texts, { ...options, badWords })).flat();
      for (const { text } of found) for (const word of badWords) expect(text).not.toContain(word);
      expect(found.some(({ text }) => badWords.some((word) => text.includes(word[0] as string)))).toBe(true);
    });

  it('that the vocabulary does not have are refused', async () => {
    await expect((await translator()).generate(texts, { badWords: ['a', 'aq'] })).rejects.toThrow(
      errorAbout({ area: 'badWords', values: ['aq'] }),
    );
  });

  it('that a prefix or a phrase has are refused', async () => {
    const refused = async (more: object) =>
      expect((await translator()).generate(texts, { badWords: [' b '], ...more })).rejects;
    await (await refused({ prefix: 'a b' })).toThrow(
      errorAbout({ area: 'badWords', values: ['a b', 'prefix'] }),
    );
    const phrases = texts.map((_, i) => (i === 1 ? ['b c'] : []));
    await (await refused({ phrases, beams: 8 })).toThrow(
      errorAbout({ area: 'badWords', values: ['b c', 'phrases'] }),
    );
  });
});
