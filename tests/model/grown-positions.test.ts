// Sources longer than the maximum length of a model whose positions have no end are read as by the same model with a
// larger maximum length.

import { describe, expect, it } from 'vitest';
import { Translator } from '../../src/decode/translator.ts';
import { cpuEngine } from '../../src/engine/cpu-engine.ts';
import { ensembleParameters } from '../../src/model/ensemble.ts';
import { grownTo } from '../../src/model/grown-positions.ts';
import { type ModelOptions, modelConfig } from '../../src/model/model-config.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { unevenWeights } from '../support/decoding.ts';
import { errorAbout } from '../support/expect-error.ts';
import { trainCharacters } from '../support/tokenizers.ts';

const tokenizer = trainCharacters(['abcdefgh ']);
const text = 'abcd efgh habc gfed aabb ccdd'; // 29 tokens and the end

function modelOf(maxLength: number, options: Partial<ModelOptions>) {
  const sizes = { dModel: 8, heads: 2, feedForward: 12, encoderLayers: 1, decoderLayers: 1 };
  const special = { padId: 0, startId: 1, endId: 2 };
  const vocab = tokenizer.size;
  const config = modelConfig({
    srcVocab: vocab,
    tgtVocab: vocab,
    ...sizes,
    ...special,
    maxLength,
    ...options,
  });
  const weights = unevenWeights(config, parameterList(config), 3);
  return { config, weights, source: tokenizer, target: tokenizer };
}

describe.each<Partial<ModelOptions>>([
  { positions: 'fairseq-sinusoidal', hidePadding: false },
  { positions: 'relative', relativeBuckets: 8, relativeMaxDistance: 12 },
])('a model with %o', (options) => {
  it('translates a source that is longer than its maximum length', async () => {
    const call = { maxNewTokens: 12, attention: true };
    const [wanted] = await new Translator(cpuEngine(), modelOf(64, options)).generate([text], call);
    const own = new Translator(cpuEngine(), modelOf(9, options));
    const [found] = await own.generate([text], call);
    expect(found?.[0]?.ids.length).toBeGreaterThan(2);
    expect(found?.[0]?.ids).toEqual(wanted?.[0]?.ids);
    expect(found?.[0]?.score).toBeCloseTo(wanted?.[0]?.score as number, 12);
    expect(found?.[0]?.attention?.weights).toEqual(wanted?.[0]?.attention?.weights);
    // A short text after it, and a limit of the caller.
    const short = await own.translate(['abc'], { maxNewTokens: 8 });
    const direct = new Translator(cpuEngine(), modelOf(9, options));
    expect(short).toEqual(await direct.translate(['abc'], { maxNewTokens: 8 }));
    await expect(own.translate([text], { maxLength: 20 })).rejects.toThrow(
      errorAbout({ area: 'translate', values: [20] }),
    );
  });
});

it('other models refuse such a source', async () => {
  const translator = new Translator(cpuEngine(), modelOf(9, { positions: 'sinusoidal' }));
  await expect(translator.translate([text])).rejects.toThrow(errorAbout({ area: 'translate', values: [9] }));
});

it('all members of an ensemble grow, or none does', () => {
  const [one, other] = [modelOf(9, { positions: 'relative' }), modelOf(9, { positions: 'learned' })];
  const grown = grownTo(one.config, ensembleParameters(one.config, [one.config]), 30);
  expect(grown.parameters.ensemble?.others[0]?.config.maxSource).toBe(256);
  const mixed = grownTo(one.config, ensembleParameters(one.config, [other.config]), 30);
  expect(mixed.config.maxSource).toBe(9);
});
