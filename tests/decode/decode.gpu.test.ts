// Decoding on the GPU with all options, compared with float64 searches without a KV cache.

import { afterEach, describe, expect, it } from 'vitest';
import { BeamSearch } from '../../src/decode/beam-search.ts';
import { type DecodeOptions, decodeSettings, modeOf } from '../../src/decode/decode-options.ts';
import { Decoder } from '../../src/decode/decoder.ts';
import { createRowSearch, type Hypothesis } from '../../src/decode/hypotheses.ts';
import { cpuEngine } from '../../src/engine/cpu-engine.ts';
import { type Engine, gpuEngine } from '../../src/engine/engine.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { hfTypes } from '../../src/formats/shared/hf-types.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../../src/model/model-config.ts';
import type { ParameterList } from '../../src/model/parameter-layout.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { writePositions } from '../../src/model/positions.ts';
import {
  allSequences,
  beamSearch,
  createOracle,
  randomSources,
  ruled,
  unevenWeights,
} from '../support/decoding.ts';
import { errorAbout } from '../support/expect-error.ts';
import { everyCase, gpuDevice, sample } from '../support/gpu.ts';
import { smallHfConfig } from '../support/hf.ts';
import { override } from '../support/override.ts';

const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.destroy();
});

async function newEngine(): Promise<Engine> {
  const engine = gpuEngine(wrapDevice(await gpuDevice()));
  engines.push(engine);
  return engine;
}

/** Tolerance: sums of a few float32 log-probabilities of a small model differ by less from float64. */
const close = 1e-4;

interface Case {
  readonly c: ModelConfig;
  readonly p: ParameterList;
  readonly parameterBuffer: Float32Array;
}

/** A model whose greedy decodings vary and, for the seeds used here, end at different lengths. */
const wandering: Partial<ModelOptions> = {
  positions: 'learned',
  norm: 'pre',
  embeddingNorm: true,
  activation: 'silu',
};

function small(seed: number, options = wandering): Case {
  const sizes = { srcVocab: 11, tgtVocab: 7, dModel: 8, heads: 2, feedForward: 12, encoderLayers: 1 };
  const c = modelConfig({ ...sizes, decoderLayers: 2, maxLength: 12, ...options });
  const p = parameterList(c);
  return { c, p, parameterBuffer: unevenWeights(c, p, seed) };
}

/** Decodes sources in batches of `batch`. */
async function decodeAll(
  { c, p, parameterBuffer }: Case,
  sources: readonly number[][],
  options: DecodeOptions,
  { batch = sources.length, engine }: { batch?: number; engine?: Engine } = {},
): Promise<Hypothesis[][]> {
  const on = engine ?? (await newEngine());
  const settings = decodeSettings(options, c, c.maxLength);
  const shape = { batch, beams: settings.rows, source: c.maxLength, target: c.maxLength };
  const decoder = await Decoder.open(on, c, p, shape, modeOf(settings));
  on.write('weights', parameterBuffer);
  writePositions(on, c);
  const out: Hypothesis[][] = [];
  for (let at = 0; at < sources.length; at += batch) {
    const part = sources.slice(at, at + batch);
    const search =
      settings.method === 'beam'
        ? new BeamSearch(part.length, settings)
        : createRowSearch(part.length, c.endId, settings);
    const streams = part.map((_, i) => at + i);
    for await (const _ of decoder.run({ sources: part, streams }, settings, search));
    out.push(...search.finish());
  }
  return out;
}

/** Compares hypotheses: the same ids and ends in the same order, scores within the tolerance. */
function expectSame(got: readonly Hypothesis[], want: readonly Hypothesis[]): void {
  expect(got.map(({ ids, ended }) => ({ ids, ended }))).toEqual(
    want.map(({ ids, ended }) => ({ ids: [...ids], ended })),
  );
  for (const [i, w] of want.entries()) {
    expect(Math.abs(got[i]!.logProb - w.logProb)).toBeLessThan(close);
    expect(Math.abs(got[i]!.score - w.score)).toBeLessThan(close);
  }
}

/** Greedy search with the float64 model, without a KV cache. */
function greedySearch(
  { c, p, parameterBuffer }: Case,
  source: readonly number[],
  options: DecodeOptions,
): Hypothesis {
  const settings = decodeSettings(options, c, c.maxLength);
  const oracle = createOracle(c, p, parameterBuffer, c.maxLength);
  const ids: number[] = [];
  let logProb = 0;
  for (let length = 1; length <= settings.maxNewTokens; length++) {
    const row = ruled(c, settings, oracle, source, ids);
    const best = Math.max(...row);
    logProb += best;
    const id = row.indexOf(best);
    if (id === c.endId) return { ids, logProb, score: logProb / settings.penalty(length), ended: true };
    ids.push(id);
  }
  return { ids, logProb, score: logProb / settings.penalty(settings.maxNewTokens), ended: false };
}

describe('greedy decoding', () => {
  const styles: [string, number, Partial<ModelOptions>][] = [
    ['pre-norm, SiLU, norms on embeddings', 26, wandering],
    ['pre-norm, GELU, sinusoids, tied', 1, { norm: 'pre', activation: 'gelu', tie: 'target' }],
    ['post-norm, ReLU, heads of 5, one layer', 32, { positions: 'learned', headWidth: 5, decoderLayers: 1 }],
  ];
  for (const [name, seed, options] of sample(styles, ([name]) => name.startsWith('pre-norm')))
    it(`equals decoding without a cache, token by token: ${name}`, async () => {
      const model = small(seed, options);
      const sources = randomSources(model.c, [6, 1, 4, 9, 2], 1);
      const got = await decodeAll(model, sources, {});
      for (const [i, source] of sources.entries()) expectSame(got[i]!, [greedySearch(model, source, {})]);
      // Some rows end and some do not, so that both cases are covered.
      expect(new Set(got.flat().map((h) => h.ids.length)).size).toBeGreaterThan(1);
      expect(new Set(got.flat().map((h) => h.ids.join())).size).toBeGreaterThan(3);
    });

  it.each(everyCase ? hfTypes : (['m2m_100', 't5'] as const))(
    'equals decoding without a cache in %s, as does beam search',
    async (type) => {
      const c = smallHfConfig(type);
      const p = parameterList(c);
      const model = { c, p, parameterBuffer: unevenWeights(c, p, 3) };
      const sources = randomSources(c, [6, 1, 4, 15], 1);
      const oracle = createOracle(c, p, model.parameterBuffer, c.maxLength);
      const engine = await newEngine();
      const rules = { minNewTokens: 9, noRepeatNgramSize: 2 };
      const got = await decodeAll(model, sources, rules, { engine });
      for (const [i, source] of sources.entries()) expectSame(got[i]!, [greedySearch(model, source, rules)]);
      // Longer than the distance beyond which all positions share a bucket (T5), and of different tokens.
      for (const { ids } of got.flat()) {
        expect(ids.length).toBeGreaterThanOrEqual(9);
        expect(new Set(ids).size).toBeGreaterThan(3);
      }
      const beams = { beams: 3, numReturn: 3, ...rules };
      const settings = decodeSettings(beams, c, c.maxLength);
      const found = await decodeAll(model, sources, beams, { engine });
      for (const [i, source] of sources.entries())
        expectSame(found[i]!, beamSearch(c, settings, oracle, source));
    },
  );

  it('does not depend on the other sources of a batch', async () => {
    const model = small(118);
    const sources = randomSources(model.c, [3, 8, 5, 2, 7], 2);
    const engine = await newEngine();
    const together = await decodeAll(model, sources, {}, { engine });
    for (const batch of [1, 2, 3]) {
      const apart = await decodeAll(model, sources, {}, { engine, batch });
      expect(apart.flat().map((h) => h.ids)).toEqual(together.flat().map((h) => h.ids));
    }
  });

  it('encodes a single short source in fewer positions, with the same results after a long one', async () => {
    const model = small(26, { ...wandering, maxLength: 24 });
    const { c } = model;
    const sources = randomSources(c, [24, 3, 16, 17, 2], 4);
    const engine = await newEngine();
    const widths = new Set<number>();
    const counting = override(engine, {
      prepare: async (graphs, options) => {
        for (const { inputs } of graphs) if (inputs.has('src')) widths.add(inputs.get('src')!.shape[1]!);
        return engine.prepare(graphs, options);
      },
    });
    const alone = await decodeAll(model, sources, {}, { batch: 1, engine: counting });
    expect([...widths]).toEqual([16, 24]);
    for (const [i, source] of sources.entries()) expectSame(alone[i]!, [greedySearch(model, source, {})]);
  });

  it('stops at the maximum length', async () => {
    const model = small(26);
    const sources = randomSources(model.c, [6, 4], 1);
    const engine = await newEngine();
    const idsOf = async (options: DecodeOptions) =>
      (await decodeAll(model, sources, options, { engine })).map(([best]) => best!.ids);
    expect(await idsOf({ maxNewTokens: 2 })).toEqual((await idsOf({})).map((ids) => ids.slice(0, 2)));
    await expect(decodeAll(model, [new Array(13).fill(3)], {}, { engine })).rejects.toThrow(
      errorAbout({ area: 'decode', values: [12] }),
    );
    const settings = decodeSettings({}, model.c, 12);
    const shape = { batch: 2, source: 12, target: 12 };
    const decoder = await Decoder.open(engine, model.c, model.p, shape, modeOf(settings));
    const search = createRowSearch(4, model.c.endId, settings);
    const run = decoder.run({ sources: [...sources, ...sources], streams: [] }, settings, search);
    await expect(run.next()).rejects.toThrow(errorAbout({ area: 'decode', values: [4, 2] }));
  });

  it('gives the same ids on the float64 references', async () => {
    const model = small(92);
    const sources = randomSources(model.c, [4, 6], 3);
    const cpu = cpuEngine();
    expectSame(
      (await decodeAll(model, sources, {})).flat(),
      (await decodeAll(model, sources, {}, { engine: cpu })).flat(),
    );
  });

  const rules: DecodeOptions[] = [
    { minNewTokens: 5, maxNewTokens: 9 },
    { maxNewTokens: 6, forceEos: true },
    { noRepeatNgramSize: 1 },
    { noRepeatNgramSize: 2, minNewTokens: 8 },
    { suppressTokens: [3, 5] },
    { badWordsIds: [[4, 5], [5, 5], [3], [6, 4, 4]] },
    { forcedBosTokenId: 4 },
    { suppressTokens: [4], noRepeatNgramSize: 3, minNewTokens: 2, maxNewTokens: 10, forceEos: true },
  ];
  for (const options of rules)
    it(`follows the rules ${JSON.stringify(options)}`, async () => {
      const model = small(26);
      const sources = randomSources(model.c, [6, 3, 5], 4);
      const [got, free] = [await decodeAll(model, sources, options), await decodeAll(model, sources, {})];
      for (const [i, source] of sources.entries())
        expectSame(got[i]!, [greedySearch(model, source, options)]);
      expect(got.flat().map((h) => h.ids)).not.toEqual(free.flat().map((h) => h.ids));
    });
});

describe('beam search', () => {
  const searches: DecodeOptions[] = [
    { beams: 2 },
    { beams: 3, numReturn: 3, lengthPenalty: 0.6 },
    { beams: 4, numReturn: 4, earlyStopping: true },
    { beams: 4, numReturn: 4, earlyStopping: 'never', lengthPenalty: 1 },
    { beams: 5, numReturn: 2, lengthPenalty: 'none' },
    {
      beams: 5,
      numReturn: 5,
      lengthPenalty: { power: 0.4 },
      minNewTokens: 3,
      noRepeatNgramSize: 2,
      suppressTokens: [5],
    },
    { beams: 3, numReturn: 3, maxNewTokens: 5, forceEos: true, forcedBosTokenId: 5 },
    { beams: 9, numReturn: 9, maxNewTokens: 3 },
    {
      beams: 3,
      numReturn: 3,
      badWordsIds: [
        [4, 4],
        [5, 6],
        [4, 5, 4],
      ],
      suppressTokens: [3],
    },
  ];
  for (const options of searches)
    it(`finds the same hypotheses as the float64 reference: ${JSON.stringify(options)}`, async () => {
      const model = small(118);
      const { c, p, parameterBuffer } = model;
      const oracle = createOracle(c, p, parameterBuffer, c.maxLength);
      const settings = decodeSettings(options, c, c.maxLength);
      const sources = randomSources(c, [5, 2, 8, 4], 5);
      const got = await decodeAll(model, sources, options);
      for (const [i, source] of sources.entries())
        expectSame(got[i]!, beamSearch(c, settings, oracle, source).slice(0, settings.numReturn));
    });

  it('equals greedy decoding with one beam', async () => {
    for (const options of [{}, { minNewTokens: 4 }, { noRepeatNgramSize: 2 }]) {
      const model = small(126);
      const sources = randomSources(model.c, [5, 2, 8, 4, 6], 6);
      const greedy = await decodeAll(model, sources, { ...options, method: 'greedy' });
      const beam = await decodeAll(model, sources, { ...options, method: 'beam', beams: 1 });
      for (const [i, want] of greedy.entries()) expectSame(beam[i]!, want);
    }
  });

  // With pad and start suppressed there are 4 tokens and the end: up to 3 tokens give 1 + 4 + 16 finished
  // sequences, and 64 that are cut or, if the end is forced, none. 64 beams hold all running sequences.
  const wide: DecodeOptions[] = [
    { beams: 64, numReturn: 20, maxNewTokens: 3, suppressTokens: [0, 1, 6], earlyStopping: 'never' },
    { beams: 64, numReturn: 21, maxNewTokens: 3, suppressTokens: [0, 1], forceEos: true, lengthPenalty: 0.8 },
    { beams: 64, numReturn: 30, maxNewTokens: 4, suppressTokens: [0, 1, 5, 6], lengthPenalty: 'none' },
  ];
  for (const options of wide)
    it(`equals exhaustive search if it is as wide as the tree: ${JSON.stringify(options)}`, async () => {
      const model = small(92);
      const { c, p, parameterBuffer } = model;
      const oracle = createOracle(c, p, parameterBuffer, c.maxLength);
      const settings = decodeSettings(options, c, c.maxLength);
      const sources = randomSources(c, [4, 7], 7);
      const got = await decodeAll(model, sources, options);
      for (const [i, source] of sources.entries())
        expectSame(got[i]!, allSequences(c, settings, oracle, source).slice(0, settings.numReturn));
    });

  it('does not depend on the other sources of a batch', async () => {
    const model = small(78);
    const sources = randomSources(model.c, [3, 8, 5], 8);
    const options = { beams: 3, numReturn: 3 };
    const together = await decodeAll(model, sources, options);
    const apart = await decodeAll(model, sources, options, { batch: 1 });
    for (const [i, want] of together.entries()) expectSame(apart[i]!, want);
  });
});

describe('sampling', () => {
  const model = small(23);
  const { c, p, parameterBuffer } = model;
  const sources = randomSources(c, [5, 2, 8, 4, 6], 9);
  const idsOf = (found: Hypothesis[][]) => found.map((some) => some.map((h) => h.ids));

  it('gives the same tokens for the same seed in any batch', async () => {
    const engine = await newEngine();
    const options = { method: 'sample', seed: 5 } as const;
    const first = idsOf(await decodeAll(model, sources, options, { engine }));
    expect(idsOf(await decodeAll(model, sources, options, { engine }))).toEqual(first);
    expect(idsOf(await decodeAll(model, sources, options, { engine, batch: 2 }))).toEqual(first);
    expect(idsOf(await decodeAll(model, sources, { ...options, seed: 6 }, { engine }))).not.toEqual(first);
  });

  it('draws several samples of a source from different streams', async () => {
    const one = await decodeAll(model, sources, { method: 'sample', seed: 5 });
    const many = await decodeAll(model, sources, { method: 'sample', seed: 5, numReturn: 8 });
    for (const [i, samples] of many.entries()) {
      expect(samples.length).toBe(8);
      expect(new Set(samples.map((h) => h.ids.join())).size).toBeGreaterThan(1);
      // The first sample equals the single sample.
      expect(samples.map((h) => h.ids.join())).toContain(one[i]![0]!.ids.join());
      expect(samples.map((h) => h.score)).toEqual(samples.map((h) => h.score).sort((a, b) => b - a));
    }
  });

  it('equals greedy decoding if only the most probable token remains', async () => {
    const greedy = await decodeAll(model, sources, {});
    for (const options of [{ topK: 1 }, { topP: 1e-6 }, { temperature: 0.001 }]) {
      const sampled = await decodeAll(model, sources, { ...options, method: 'sample' });
      for (const [i, want] of greedy.entries()) expectSame(sampled[i]!, want);
    }
  });

  const cuts: DecodeOptions[] = [
    { topK: 2 },
    { topP: 0.5 },
    { topK: 3, topP: 0.7, temperature: 1.5 },
    { minNewTokens: 4, noRepeatNgramSize: 2, suppressTokens: [4] },
  ];
  for (const options of cuts)
    it(`follows top-k, top-p and the rules ${JSON.stringify(options)}, and returns the log-probability`, async () => {
      const oracle = createOracle(c, p, parameterBuffer, c.maxLength);
      const settings = decodeSettings({ ...options, method: 'sample', numReturn: 6 }, c, c.maxLength);
      const got = await decodeAll(model, sources, { ...options, method: 'sample', numReturn: 6 });
      for (const [i, source] of sources.entries())
        for (const { ids, ended, logProb } of got[i]!) {
          let sum = 0;
          for (const [t, id] of [...ids, ...(ended ? [c.endId] : [])].entries()) {
            const row = ruled(c, settings, oracle, source, ids.slice(0, t));
            sum += row[id]!;
            expect(keptBy(settings.sampling, row)).toContain(id);
          }
          expect(Math.abs(sum - logProb)).toBeLessThan(close);
        }
    });
});

/** The tokens that remain after topK and then topP. */
function keptBy(
  { temperature, topK, topP }: { temperature: number; topK: number; topP: number },
  row: number[],
) {
  const order = row
    .map((x, id) => ({ id, p: Math.exp(x / temperature) }))
    .filter(({ p }) => p > 0)
    .sort((a, b) => b.p - a.p)
    .slice(0, topK || row.length);
  const total = order.reduce((sum, { p }) => sum + p, 0);
  let mass = 0;
  return order
    .filter(({ p }) => {
      const kept = mass < topP * total;
      mass += p;
      return kept;
    })
    .map(({ id }) => id);
}

describe('a decoding run', () => {
  it('stops at the signal, and the decoder can be used again', async () => {
    const { c, p, parameterBuffer } = small(26);
    const engine = await newEngine();
    const options = { minNewTokens: 11 };
    const settings = decodeSettings(options, c, c.maxLength);
    const shape = { batch: 1, source: 12, target: 12 };
    const decoder = await Decoder.open(engine, c, p, shape, modeOf(settings));
    engine.write('weights', parameterBuffer);
    writePositions(engine, c);
    const batch = { sources: randomSources(c, [5], 1), streams: [0] };
    const controller = new AbortController();
    const interrupted = createRowSearch(1, c.endId, settings);
    const run = async () => {
      for await (const steps of decoder.run(batch, { ...settings, signal: controller.signal }, interrupted))
        if (steps === 3) controller.abort(new Error('enough'));
    };
    await expect(run()).rejects.toThrow(new Error('enough'));
    expect(interrupted.idsOf(0, 0).length).toBe(3);
    const again = createRowSearch(1, c.endId, settings);
    for await (const _ of decoder.run(batch, settings, again));
    expect(again.idsOf(0, 0).length).toBe(12);
    expect(again.idsOf(0, 0).slice(0, 3)).toEqual(interrupted.idsOf(0, 0));
  });

  /** An engine that records the batch size of each step. */
  const recordingEngine = async (): Promise<{ engine: Engine; steps: number[] }> => {
    const engine = await newEngine();
    const steps: number[] = [];
    const prepare: Engine['prepare'] = async (graphs) =>
      (await engine.prepare(graphs)).map((program) =>
        override(program, {
          run: () => {
            steps.push(program.inputs.srcLens?.length ?? 0);
            return program.run();
          },
        }),
      );
    return { engine: override(engine, { prepare }), steps };
  };

  it('runs at most two steps after all sentences have ended', async () => {
    const model = small(126);
    const { engine, steps } = await recordingEngine();
    const best = (await decodeAll(model, randomSources(model.c, [6, 1], 1), {}, { engine })).flat();
    expect(best.map(({ ended }) => ended)).toEqual([true, true]);
    const longest = Math.max(...best.map(({ ids }) => ids.length)) + 1;
    expect(longest).toBeLessThan(9);
    expect(steps.length).toBeGreaterThanOrEqual(longest);
    expect(steps.length).toBeLessThanOrEqual(longest + 2);
  });

  for (const options of [
    {},
    { beams: 3, numReturn: 3, earlyStopping: true },
    { method: 'sample', numReturn: 2, seed: 1, temperature: 0.2 },
  ] as DecodeOptions[])
    it(`continues with a smaller batch after sentences finish: ${JSON.stringify(options)}`, async () => {
      const model = small(126);
      const { engine, steps } = await recordingEngine();
      const sources = randomSources(model.c, [6, 1, 4, 9, 2, 3], 1);
      const alone = await decodeAll(model, sources, options, { batch: 1 });
      // All six at first, and from some step on at most four; six of sixteen move to eight before the first step.
      for (const [batch, first, most] of [
        [15, 15, 4],
        [16, 8, 8],
      ] as const) {
        steps.length = 0;
        const together = await decodeAll(model, sources, options, { engine, batch });
        expect(steps.slice(0, 2)).toEqual([first, first]);
        expect(steps.at(-1), String(steps)).toBeLessThanOrEqual(most);
        for (const [i, want] of alone.entries()) expectSame(together[i]!, want);
      }
    });
});

describe('an SSRU decoder', () => {
  const ssru: Partial<ModelOptions> = { ...wandering, decoderSelfAttention: 'ssru' };

  it.each([5, 9])('finds what a search without states finds, seed %i', async (seed) => {
    const model = small(seed, { ...ssru, decoderTiedLayers: seed > 5 ? [1, 1] : [] });
    const sources = randomSources(model.c, [4, 7, 2, 9, 5], seed);
    const greedy = await decodeAll(model, sources, {});
    for (const [i, source] of sources.entries())
      expectSame(greedy[i] ?? [], [greedySearch(model, source, {})]);
    const options = { beams: 3, numReturn: 2 };
    const settings = decodeSettings(options, model.c, model.c.maxLength);
    const oracle = createOracle(model.c, model.p, model.parameterBuffer, model.c.maxLength);
    const beams = await decodeAll(model, sources, options);
    for (const [i, source] of sources.entries())
      expectSame(beams[i] ?? [], beamSearch(model.c, settings, oracle, source).slice(0, 2));
  });
});
