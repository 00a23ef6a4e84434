// Decoding with sublayers of one dispatch each, compared with decoding as usual.

import { describe, expect, it } from 'vitest';
import { type DecodeOptions, decodeSettings, modeOf } from '../../src/decode/decode-options.ts';
import { Decoder } from '../../src/decode/decoder.ts';
import type { Hypothesis } from '../../src/decode/hypotheses.ts';
import { searchFor } from '../../src/decode/open-search.ts';
import { gpuEngine } from '../../src/engine/engine.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import type { KernelChooser } from '../../src/engine/gpu/gpu-engine.ts';
import { fuseRowSublayers } from '../../src/engine/graph/fewer-launches.ts';
import { type ModelOptions, modelConfig } from '../../src/model/model-config.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { writePositions } from '../../src/model/positions.ts';
import { randomSources, unevenWeights } from '../support/decoding.ts';
import { gpuDevice, sample } from '../support/gpu.ts';

/** Fuses all sublayers that it can; `fused` counts them. */
class Fusing implements KernelChooser {
  fused = 0;
  choose: KernelChooser['choose'] = async (graphs, _device, known) => {
    for (const graph of graphs) this.fused += fuseRowSublayers(graph).length;
    return known;
  };
}

async function decode(model: Partial<ModelOptions>, options: DecodeOptions, kernels?: KernelChooser) {
  const sizes = { srcVocab: 23, tgtVocab: 18, dModel: 16, heads: 2, feedForward: 36, encoderLayers: 1 };
  const c = modelConfig({ ...sizes, decoderLayers: 2, maxLength: 12, ...model });
  const p = parameterList(c);
  const settings = decodeSettings(options, c, c.maxLength);
  const engine = gpuEngine(wrapDevice(await gpuDevice()), { kernels });
  const found: Hypothesis[][] = [];
  try {
    const shape = { batch: 2, beams: settings.rows, source: 12, target: 12 };
    const decoder = await Decoder.open(engine, c, p, shape, modeOf(settings));
    engine.write('weights', unevenWeights(c, p, 5));
    writePositions(engine, c);
    const sources = randomSources(c, [4, 9], 3);
    const search = await searchFor(settings, sources, c.endId);
    for await (const _ of decoder.run({ sources, streams: [0, 1] }, settings, search));
    found.push(...search.finish());
  } finally {
    engine.destroy();
  }
  return found.flat();
}

describe('decoding with fewer launches', () => {
  const models: [string, Partial<ModelOptions>, DecodeOptions, number][] = [
    ['post-norm', {}, {}, 7],
    ['pre-norm, 3 beams', { norm: 'pre', activation: 'gelu' }, { beams: 3 }, 7],
  ];
  it.each(sample(models, ([name]) => name === 'post-norm'))(
    'finds the same in a %s model',
    async (_name, model, options, fused) => {
      const kernels = new Fusing();
      const want = await decode(model, options);
      const got = await decode(model, options, kernels);
      expect(kernels.fused).toBe(fused);
      expect(got.map(({ ids }) => ids)).toEqual(want.map(({ ids }) => ids));
      for (const [i, { logProb }] of want.entries()) expect(got[i]?.logProb).toBeCloseTo(logProb, 4);
    },
  );
});
