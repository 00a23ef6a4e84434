// The KV cache in f16 beside that in f32 on long outputs: a random model whose sequences have more than 512 tokens.

import { afterAll, expect, it } from 'vitest';
import { random } from '../../src/core/random.ts';
import type { TextOptions } from '../../src/decode/text-options.ts';
import { Translator } from '../../src/decode/translator.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { unevenWeights } from '../support/decoding.ts';
import { testEngine } from '../support/engine.ts';
import { smallModel } from '../support/model.ts';
import { trainCharacters } from '../support/tokenizers.ts';

let engine: Engine | undefined;
afterAll(() => engine?.destroy());

/** Tokens that are given, and that are chosen after them. The score has the latter only. */
const [forced, chosen] = [600, 20];

it('after 600 tokens the next 20 have the ids of f32, and nearly their log-probabilities', async () => {
  engine = await testEngine();
  const tokenizer = trainCharacters(['abcdefghijklmnopqrstuvwxyz']);
  const { c, p } = smallModel({
    srcVocab: tokenizer.size,
    tgtVocab: tokenizer.size,
    tie: 'all',
    dModel: 64,
    heads: 4,
    feedForward: 128,
    decoderLayers: 2,
    maxLength: 640,
  });
  const model = { config: c, source: tokenizer, target: tokenizer, weights: unevenWeights(c, p, 5) };
  const texts = ['alongway', 'zebra', 'thequickbrownfoxjumpsoverthelazydog'];
  const translator = new Translator(engine, model, { shape: { batch: 3 } });
  const generate = async (options: TextOptions) =>
    (
      await translator.generate(texts, {
        minNewTokens: forced + 1,
        maxNewTokens: forced + chosen,
        ...options,
      })
    ).flat();
  const r = random(3);
  const prefix = texts.map(() =>
    Array.from({ length: forced }, () => String.fromCharCode(97 + r.int(26))).join(''),
  );
  const found = { f32: await generate({ prefix }), f16: await generate({ prefix, cacheType: 'f16' }) };
  for (const [i, exact] of found.f32.entries()) {
    const half = found.f16[i];
    expect(exact.text.slice(0, forced)).toBe(prefix[i]);
    const [mean, other = 0] = [exact, half].map((found) => (found?.logProb ?? 0) / chosen);
    console.log(`| text ${i} | ${mean?.toFixed(3)} nats a token, f16 ${other.toFixed(3)} |`);
    // Logits of these weights spread over tens of nats, and keys are rounded by 2^-11.
    expect(Math.abs(other - (mean ?? 0))).toBeLessThan(2e-2);
    expect(half?.ids).toEqual(exact.ids);
  }
});
