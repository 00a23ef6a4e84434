// Decoding with phrases: every translation has its phrases, and its score is that of its tokens.

import { expect, it } from 'vitest';
import { decodeSettings, modeOf } from '../../../../src/decode/decode-options.ts';
import { cpuEngine } from '../../../../src/engine/cpu-engine.ts';
import { type Engine, gpuEngine } from '../../../../src/engine/engine.ts';
import { wrapDevice } from '../../../../src/engine/gpu/device.ts';
import { PhraseDecoder } from '../../../../src/features/documents/decode/phrase-decoder.ts';
import { PlaceholderRules } from '../../../../src/features/documents/decode/placeholder-rules.ts';
import { ensembleParameters } from '../../../../src/model/ensemble.ts';
import { modelConfig } from '../../../../src/model/model-config.ts';
import { parameterList } from '../../../../src/model/parameters.ts';
import { writePositions } from '../../../../src/model/positions.ts';
import type { Tokenizer } from '../../../../src/text/tokenizers/tokenizer.ts';
import { createOracle, randomSources, unevenWeights } from '../../../support/decoding.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { gpuDevice } from '../../../support/gpu.ts';

const c = modelConfig({
  srcVocab: 11,
  tgtVocab: 9,
  dModel: 8,
  heads: 2,
  feedForward: 12,
  encoderLayers: 1,
  decoderLayers: 2,
  maxLength: 14,
  positions: 'learned',
  norm: 'pre',
  embeddingNorm: true,
  activation: 'silu',
});
const p = parameterList(c);
const weights = unevenWeights(c, p, 3);
const sources = randomSources(c, [4, 7, 3], 5);
const phrases = [[[5, 6]], [[7], [4, 4, 8]], []];

/** The translations on an engine. */
async function decode(engine: Engine) {
  const settings = decodeSettings({ beams: 8 }, c, 14);
  const shape = { batch: 3, beams: 8, source: 14, target: 14 };
  const decoder = await PhraseDecoder.open(engine, c, p, shape, { ...modeOf(settings), phrases: 2 });
  engine.write('weights', weights);
  writePositions(engine, c);
  return decoder.decode(
    sources,
    phrases.map((list) => ({ phrases: list })),
    settings,
  );
}

const has = (ids: readonly number[], phrase: readonly number[]) =>
  ids.some((_, i) => phrase.every((token, j) => ids[i + j] === token));

it('places every phrase, with the log-probabilities of the model', async () => {
  const engine = gpuEngine(wrapDevice(await gpuDevice()));
  const found = await decode(engine);
  engine.destroy();
  const oracle = createOracle(c, p, weights, 14);
  for (const [b, [best]] of found.entries()) {
    expect(best?.ended).toBe(true);
    const ids = best?.ids ?? [];
    for (const phrase of phrases[b] ?? []) expect(has(ids, phrase)).toBe(true);
    let sum = 0;
    for (const [i, id] of [...ids, c.endId].entries())
      sum += oracle(sources[b] as number[], ids.slice(0, i))[id] as number;
    expect(best?.logProb).toBeCloseTo(sum, 3);
  }
  const onCpu = await decode(cpuEngine());
  expect(onCpu.map(([best]) => best?.ids)).toEqual(found.map(([best]) => best?.ids));
});

it('gives an ensemble of a model with itself the translations of the model', async () => {
  const wide = modelConfig({
    srcVocab: 11,
    tgtVocab: 51,
    dModel: 32,
    heads: 2,
    feedForward: 64,
    encoderLayers: 1,
    decoderLayers: 1,
    maxLength: 14,
  });
  const all = unevenWeights(wide, parameterList(wide), 3);
  const settings = decodeSettings({ beams: 8 }, wide, 14);
  const shape = { batch: 3, beams: 8, source: 14, target: 14 };
  const found: (readonly number[] | undefined)[][] = [];
  const logProbs: number[] = [];
  for (const list of [parameterList(wide), ensembleParameters(wide, [wide])]) {
    const engine = gpuEngine(wrapDevice(await gpuDevice()));
    const mode = { ...modeOf(settings), phrases: 2 };
    const decoder = await PhraseDecoder.open(engine, wide, list, shape, mode);
    for (const suffix of list.ensemble ? ['', '.1'] : ['']) {
      engine.write(`weights${suffix}`, all);
      writePositions(engine, wide, suffix);
    }
    const demands = phrases.map((some) => ({ phrases: some }));
    const results = await decoder.decode(sources, demands, settings);
    found.push(results.map(([best]) => best?.ids));
    logProbs.push(results.reduce((sum, [best]) => sum + (best?.logProb ?? 0), 0));
    engine.destroy();
  }
  expect(found[1]).toEqual(found[0]);
  expect(logProbs[1]).toBeCloseTo(logProbs[0] as number, 3);
});

it('places each placeholder once, in order and nested', async () => {
  // Tokens 4 to 7 are placeholders: two single ones, of which the order is kept, and a pair.
  const names = new Map([
    [4, '\ue000'],
    [5, '\ue001'],
    [6, '\ue802'],
    [7, '\uf002'],
  ]);
  const all = [...names.values()];
  const tokenizer = {
    special: { unknown: 3 },
    encode: (text: string) => [[...names].find(([, c]) => c === text)?.[0] ?? 3],
    decode: ([id = 3]: readonly number[]) => names.get(id) ?? '?',
  } as unknown as Tokenizer;
  const engine = cpuEngine();
  const settings = decodeSettings({ beams: 8 }, c, 14);
  const shape = { batch: 3, beams: 8, source: 14, target: 14 };
  const decoder = await PhraseDecoder.open(engine, c, p, shape, { ...modeOf(settings), phrases: 4 });
  engine.write('weights', weights);
  writePositions(engine, c);
  const texts = [all.join(''), '\ue802a\uf002', '\ue001'];
  const demands = texts.map((text) => {
    const rules = new PlaceholderRules(tokenizer, text, '\ue000\ue001');
    return { phrases: rules.tokens.map((id) => [id]), rules };
  });
  const found = await decoder.decode(sources, demands, settings);
  for (const [b, list] of found.entries())
    for (const { ids } of list) {
      const placed = ids.flatMap((id) => names.get(id) ?? []);
      expect([...placed].sort()).toEqual([...(texts[b] as string)].filter((ch) => all.includes(ch)).sort());
      expect(placed.indexOf('\ue802')).toBeLessThanOrEqual(placed.indexOf('\uf002'));
      if (b === 0) expect(placed.indexOf('\ue000')).toBeLessThan(placed.indexOf('\ue001'));
    }
  expect(() => new PlaceholderRules(tokenizer, '\ue007', '')).toThrow(errorAbout({ area: 'placeholders' }));
  expect(() => new PlaceholderRules(tokenizer, '\ue000\ue000', '')).toThrow(
    errorAbout({ area: 'placeholders' }),
  );
});
