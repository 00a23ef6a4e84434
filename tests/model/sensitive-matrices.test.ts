// Formats of matrices with weights in four bits, and the memory of NLLB's shapes.

import { describe, expect, it } from 'vitest';
import { sourceGraph, stepGraph } from '../../src/decode/decoding-graphs.ts';
import { defaultTraits } from '../../src/engine/ops/device-traits.ts';
import { makePlan } from '../../src/engine/plan/planner.ts';
import { type ModelOptions, modelConfig } from '../../src/model/model-config.ts';
import { weightBytes } from '../../src/model/parameter-layout.ts';
import { storedParameters } from '../../src/model/quantized-parameters.ts';
import { errorAbout } from '../support/expect-error.ts';

/** The formats of the matrices of a model, by the ends of their names. */
function formatsOf(
  sizes: Partial<ModelOptions>,
  weightsExclude?: readonly string[],
  weights = 'int4' as const,
) {
  const c = modelConfig({
    srcVocab: 40,
    tgtVocab: 40,
    encoderLayers: 1,
    decoderLayers: 1,
    heads: 2,
    tie: 'all',
    ...sizes,
  });
  const { quantization } = storedParameters(c, { weights, weightsExclude });
  return Object.fromEntries(
    [...(quantization?.matrices ?? [])].map(([name, { format }]) => [
      name.replace(/^transformer\.|layers\.0\.|\.?_?weight$/g, '').replace('layers.0.', ''),
      format,
    ]),
  );
}

describe('with weights in four bits', () => {
  const wide = { dModel: 512, feedForward: 1024 };
  const narrow = { dModel: 64, feedForward: 1024 };

  it('tables stay int8, and in narrow models all but the last output projection of self-attention', () => {
    expect(formatsOf(wide)).toMatchObject({
      src_embed: 'int8',
      'encoder.linear1': 'int4',
      'decoder.multihead_attn.kv_proj': 'int4',
    });
    for (const [decoderLayers, last] of [
      [1, ''],
      [3, 'layers.2.'],
    ] as const) {
      const small = Object.entries(formatsOf({ ...narrow, decoderLayers }));
      expect(small.filter(([, format]) => format === 'int4').map(([name]) => name)).toEqual([
        `decoder.${last}self_attn.out_proj`,
      ]);
    }
  });

  it('layers that match a glob stay int8; auto means the sensitive ones', () => {
    const names = { heads: 2, ...narrow };
    expect(new Set(Object.values(formatsOf(names, [])))).toEqual(new Set(['int4']));
    const some = formatsOf(names, ['*.fc1', 'decoder.*.k_proj']);
    expect(
      Object.entries(some)
        .filter(([, format]) => format === 'int8')
        .map(([name]) => name),
    ).toEqual([
      'encoder.linear1',
      'decoder.self_attn.in_proj',
      'decoder.multihead_attn.kv_proj',
      'decoder.linear1',
    ]);
    expect(formatsOf(wide, ['auto', 'fc2'])).toMatchObject({ src_embed: 'int8', 'encoder.linear2': 'int8' });
    expect(() => formatsOf(wide, ['*.fc9'])).toThrow(
      errorAbout({ area: 'weightsExclude', values: ['*.fc9'] }),
    );
  });

  it('layers that match a glob stay f32 in other formats', () => {
    const c = modelConfig({ srcVocab: 40, tgtVocab: 40, encoderLayers: 1, decoderLayers: 1 });
    const { quantization } = storedParameters(c, { weights: 'int8', weightsExclude: ['*.fc1', 'generator'] });
    expect(quantization?.plain.all.filter(({ shape }) => shape.length === 2).map(({ name }) => name)).toEqual(
      [
        'transformer.encoder.layers.0.linear1.weight',
        'transformer.decoder.layers.0.linear1.weight',
        'generator.weight',
      ],
    );
  });
});

describe("NLLB's shape", () => {
  const nllb = { srcVocab: 256_206, tgtVocab: 256_206, maxLength: 1024, tie: 'all', norm: 'pre' } as const;
  const options = { ...nllb, positions: 'fairseq-sinusoidal', activation: 'relu', finalNorm: true } as const;

  it('of 600M takes at most 450 MiB, and with four beams 600 MiB', async () => {
    const c = modelConfig({
      ...options,
      dModel: 1024,
      heads: 16,
      feedForward: 4096,
      encoderLayers: 12,
      decoderLayers: 12,
    });
    const p = storedParameters(c, { weights: 'int4' });
    expect(weightBytes(p) / 2 ** 20).toBeLessThan(450);
    const shape = { batch: 1, beams: 4, source: 256, target: 256, cacheType: 'f16' } as const;
    const mode = { method: 'beam', rules: true, banned: 0 } as const;
    const plans = [sourceGraph(c, p, shape), stepGraph(c, p, shape, mode)].map((graph) => makePlan(graph));
    const slots = Math.max(...plans.map(({ bytes }) => bytes.slots));
    const states = Math.max(...plans.map(({ bytes }) => bytes.states));
    expect((states + slots) / 2 ** 20).toBeLessThan(600);
  });

  it('of 3.3B takes at most 2.2 GiB in bindings of 128 MiB', async () => {
    const c = modelConfig({
      ...options,
      dModel: 2048,
      heads: 16,
      feedForward: 8192,
      encoderLayers: 24,
      decoderLayers: 24,
    });
    const p = storedParameters(c, { weights: 'int4' });
    const shape = { batch: 1, beams: 4, source: 64, target: 64, cacheType: 'f16' } as const;
    const mode = { method: 'beam', rules: false, banned: 0 } as const;
    const plan = makePlan(stepGraph(c, p, shape, mode), { traits: defaultTraits });
    expect(plan.bytes.peak / 2 ** 30).toBeLessThan(2.2);
    const bindings = plan.passes.flatMap(({ bind }) => Object.values(bind).map(({ bytes }) => bytes));
    expect(Math.max(...bindings)).toBeLessThanOrEqual(2 ** 27);
  });
});
