// Ensembles: decoding and evaluation with the mean of the probabilities of several models, compared with
// float64.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEnsemble } from '../../src/api/ensemble-model.ts';
import { openFolder } from '../../src/api/load-model.ts';
import { Model, textModel } from '../../src/api/model.ts';
import type { Files } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { saveModelFolder } from '../../src/formats/save-heddle.ts';
import type { SavedModel } from '../../src/formats/shared/saved-model.ts';
import { modelConfig } from '../../src/model/model-config.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { beamSearch, createOracle, type Oracle, unevenWeights } from '../support/decoding.ts';
import { testEngine } from '../support/engine.ts';
import { errorAbout } from '../support/expect-error.ts';
import { letterModel } from '../support/saved-model.ts';
import { EngineSession } from '../support/session.ts';
import { trainCharacters } from '../support/tokenizers.ts';

const first = letterModel();
const { startId, endId, padId } = first.config;

/** Models of the same letters: other weights, another width, depth and positions. */
const others: SavedModel[] = [
  letterModel(7),
  ...[{ positions: 'learned', dModel: 12, decoderLayers: 1 } as const].map((fields) => {
    const config = modelConfig({ ...first.config, ...fields, feedForward: 20, heads: 2 });
    return { ...first, config, weights: unevenWeights(config, parameterList(config), 31) };
  }),
];
const models = [first, ...others];
const names = ['m1', 'm2'];
const read = async (name: string) => models[Number(name[1])] as SavedModel;

/** The log of the mean of the models' probabilities, in float64. */
const oracles = models.map(({ config, weights }) => createOracle(config, parameterList(config), weights, 24));
const mean: Oracle = (source, prefix) => {
  const each = oracles.map((oracle) => oracle(source, prefix));
  return each[0]!.map((_, id) =>
    Math.log(each.reduce((sum, row) => sum + Math.exp(row[id] as number), 0) / each.length),
  );
};

const sessionOn = (files: Files) => new EngineSession(files, () => testEngine());
let model: Model;
beforeAll(async () => {
  model = await openEnsemble(textModel, first, names, read, sessionOn(memoryFiles()), {});
});
afterAll(() => model.dispose());

const texts = ['bad cab', 'ace', 'dead bed', 'e'];
const ids = (text: string) => [...first.source.encode(text), endId];

describe('an ensemble', () => {
  it('decodes greedily with the mean of the probabilities', async () => {
    const found = await model.generate(texts, { maxNewTokens: 10 });
    for (const [i, text] of texts.entries()) {
      const expected: number[] = [];
      let logProb = 0;
      while (expected.length < 10) {
        const row = mean(ids(text), expected);
        const best = row.reduce((a, x, id) => (x > (row[a] as number) ? id : a), 0);
        logProb += row[best] as number;
        if (best === endId) break;
        expected.push(best);
      }
      const [best] = found[i] ?? [];
      expect(best?.ids).toEqual(expected);
      expect(best?.logProb).toBeCloseTo(logProb, 3);
      expect([startId, padId]).not.toContain(best?.ids[0]);
    }
    const alone = new Model(first, sessionOn(memoryFiles()));
    const single = await alone.generate(texts, { maxNewTokens: 10 });
    alone.dispose();
    expect(found.map(([best]) => best?.logProb)).not.toEqual(single.map(([best]) => best?.logProb));
  });

  it('finds the beams of the mean of the probabilities', async () => {
    const found = await model.generate(texts, { beams: 3, numReturn: 3, maxNewTokens: 8 });
    const rules = { minLength: 0, forceEndAt: -1, noRepeatNgram: 0, firstToken: -1, banned: [] };
    const settings = {
      rows: 3,
      penalty: (n: number) => n,
      earlyStopping: false,
      maxNewTokens: 8,
      rules,
    } as const;
    for (const [i, text] of texts.entries()) {
      const expected = beamSearch(first.config, settings, mean, ids(text));
      expect(found[i]?.map((one) => one.ids)).toEqual(expected.slice(0, 3).map((one) => one.ids));
      for (const [k, { logProb }] of (found[i] ?? []).entries())
        expect(logProb).toBeCloseTo(expected[k]!.logProb, 3);
    }
  });

  it('scores pairs and evaluates with it', async () => {
    const pairs = texts.map((source, i) => ({ source, target: texts[(i + 1) % 4] as string }));
    const scores = await model.score(pairs);
    let [sum, count] = [0, 0];
    for (const [i, { source, target }] of pairs.entries()) {
      const wanted = ids(target);
      const logProbs = wanted.map((id, t) => mean(ids(source), wanted.slice(0, t))[id] as number);
      for (const [t, x] of logProbs.entries()) expect(scores[i]?.tokens[t]?.logProb).toBeCloseTo(x, 3);
      sum += logProbs.reduce((a, b) => a + b);
      count += wanted.length;
    }
    expect((await model.evaluate(pairs)).loss).toBeCloseTo(-sum / count, 3);
  });

  it('supports int8 weights', async () => {
    const small = await openEnsemble(textModel, first, names, read, sessionOn(memoryFiles()), {
      weights: 'int8',
    });
    const exact = (await model.generate('bad cab'))[0];
    const near = (await small.generate('bad cab'))[0];
    small.dispose();
    expect(near?.logProb).not.toBe(exact?.logProb);
    expect(Math.abs((near?.logProb ?? 0) - (exact?.logProb ?? 9))).toBeLessThan(1);
  });
});

describe('the models of an ensemble', () => {
  const files = memoryFiles();
  const open = async (...rest: SavedModel[]) => {
    for (const [i, one] of [first, ...rest].entries()) await saveModelFolder(files, `m${i}`, one);
    return openFolder('m0', sessionOn(files), { ensemble: rest.map((_, i) => `m${i + 1}`) });
  };

  it('are read from folders', async () => {
    const read = await open(...others);
    expect(await read.translate(texts)).toEqual(await model.translate(texts));
    read.dispose();
  });

  it('throws and names a folder with another vocabulary or a smaller maximum length', async () => {
    const letters = trainCharacters(['abx ce']);
    await expect(open({ ...first, target: letters })).rejects.toThrow(
      errorAbout({ area: 'm1', values: ['target', 'm0'] }),
    );
    const config = modelConfig({ ...first.config, maxLength: 16 });
    const short = { ...first, config, weights: unevenWeights(config, parameterList(config), 3) };
    await expect(open(others[0] as SavedModel, short)).rejects.toThrow(
      errorAbout({ area: 'm2', options: ['maxLength'], values: [16, 'm0', 24, 'm2'] }),
    );
  });
});
