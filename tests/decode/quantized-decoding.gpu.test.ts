// Decoding with weights in 16, 8 and 4 bits: values, results, and no second copy in memory.

import { afterEach, describe, expect, it } from 'vitest';
import { Translator } from '../../src/decode/translator.ts';
import { cpuEngine } from '../../src/engine/cpu-engine.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { isInt4, packedFormats } from '../../src/engine/ops/matmul/packed-weights.ts';
import { makePlan } from '../../src/engine/plan/planner.ts';
import { writeWeights } from '../../src/model/model-states.ts';
import { weightBytes } from '../../src/model/parameter-layout.ts';
import { quantizedParameters, type WeightFormat, weightParts } from '../../src/model/quantized-parameters.ts';
import { evaluationGraph } from '../../src/train/update/training-graphs.ts';
import { unevenWeights } from '../support/decoding.ts';
import { testEngine } from '../support/engine.ts';
import { sample } from '../support/gpu.ts';
import { loadIds, randomIds, setStep, smallModel, startModel } from '../support/model.ts';
import { relativeError } from '../support/op.ts';
import { trainCharacters } from '../support/tokenizers.ts';

const shape = { batch: 3, source: 5, target: 4 };
const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.destroy();
});

/** Logits of a small model with weights in a format. */
async function logitsOf(engine: Engine, format: WeightFormat, options: Parameters<typeof smallModel>[0]) {
  engines.push(engine);
  const { c, p } = smallModel(options);
  const list = quantizedParameters(p, format);
  const scratch = cpuEngine();
  await scratch.prepare([evaluationGraph(c, p, shape)]);
  const weights = startModel(scratch, c, p);
  const [program] = await engine.prepare([evaluationGraph(c, list, shape, { logits: true })]);
  writeWeights(engine, c, list, weights);
  const ids = randomIds(c, shape);
  loadIds(program!, ids);
  setStep(program!, ids);
  return { logits: (await program!.run()).logits!, c, p, list };
}

describe.each(sample(packedFormats, (format) => !/^(int4-f32|uint4)$/.test(format)))(
  'weights as %s',
  (format) => {
    for (const options of [
      { tie: 'all', srcVocab: 23, positions: 'learned', embeddingNorm: true, activation: 'gelu' },
      { dModel: 10, feedForward: 13, norm: 'pre', tie: 'none' },
    ] as const)
      it(`give the logits of float64 with the same weights, close to those of f32: ${JSON.stringify(options)}`, async () => {
        const { logits } = await logitsOf(await testEngine(), format, options);
        const exact = await logitsOf(cpuEngine(), format, options);
        // As a whole model in f32.
        expect(relativeError(logits, exact.logits)).toBeLessThan(1e-4);
        const whole = await logitsOf(cpuEngine(), 'f32', options);
        const error = relativeError(exact.logits, whole.logits);
        // Steps of 2^-11 of a weight, and of 1/254 of a row's or 1/16 of a block's largest, through a few layers.
        expect(error).toBeLessThan(format === 'f16' ? 3e-3 : isInt4(format) ? 0.2 : 5e-2);
        expect(error).toBeGreaterThan(format === 'f16' ? 1e-5 : 1e-3);
      });

    it('take a half or a quarter of the memory, without an f32 copy', () => {
      const { c, p } = smallModel({ dModel: 64, feedForward: 256, srcVocab: 501, tgtVocab: 500 });
      const list = quantizedParameters(p, format);
      expect(weightBytes(list) / weightBytes(p)).toBeLessThan(format === 'f16' ? 0.52 : 0.29);
      const all4 = quantizedParameters(p, format, () => format);
      if (isInt4(format)) expect(weightBytes(all4) / weightBytes(p)).toBeLessThan(0.19);
      const [small, large] = [list, p].map((parameters) => makePlan(evaluationGraph(c, parameters, shape)));
      const positions = 4 * c.maxLength * c.dModel;
      expect(small!.bytes.states).toBeLessThan(weightBytes(list) + positions + 1024);
      expect(large!.bytes.peak - small!.bytes.peak).toBeGreaterThan(
        0.95 * (weightBytes(p) - weightBytes(list)),
      );
      const written = [...weightParts(list)].flatMap((part) => part.states(new Float32Array(part.count)));
      expect(written.every(({ state }) => state.startsWith('quantized.'))).toBe(true);
      const bytes = written.reduce((sum, { data }) => sum + data.byteLength, 0);
      expect(bytes).toBeLessThanOrEqual(weightBytes(list));
      expect(bytes).toBeGreaterThan(0.95 * weightBytes(list));
      const f32 = new Set(list.quantization!.plain.all.map(({ name }) => name));
      for (const { name, shape } of p.all) expect(f32.has(name)).toBe(shape.length === 1);
      expect(list.quantization!.formats.get(isInt4(format) ? 'int8' : format)!.words).toBeGreaterThan(0);
    });

    it('decode on the GPU as on the references, greedily and with beams', async () => {
      const engine = await testEngine();
      engines.push(engine);
      const tokenizer = trainCharacters(['abc def']);
      const { c, p } = smallModel({ srcVocab: tokenizer.size, tgtVocab: tokenizer.size, tie: 'all' });
      const model = { config: c, source: tokenizer, target: tokenizer, weights: unevenWeights(c, p, 5) };
      const texts = ['a b c', 'd', 'e f a'];
      const options = { shape: { batch: 2 }, parameters: quantizedParameters(p, format) };
      let peak = 0;
      const kept = new Translator(engine, model, {
        ...options,
        upload(bytes) {
          if (peak === 0) writeWeights(engine, c, options.parameters, model.weights);
          peak = bytes;
        },
      });
      const found = await kept.generate(texts);
      expect(peak).toBeGreaterThan(weightBytes(options.parameters));
      const exact = cpuEngine();
      engines.push(exact);
      const want = await new Translator(exact, model, options).generate(texts);
      expect(found.map(([best]) => best?.ids)).toEqual(want.map(([best]) => best?.ids));
      const beams = await new Translator(exact, model, options).translate(texts, {
        beams: 2,
      });
      expect(await kept.translate(texts, { beams: 2 })).toEqual(beams);
    });
  },
);
