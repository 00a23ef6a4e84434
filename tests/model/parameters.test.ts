// The list of parameters: PyTorch's names and shapes, their offsets in the parameter buffer, and their
// initial values.

import { describe, expect, it } from 'vitest';
import { random } from '../../src/core/random.ts';
import { sizeOf } from '../../src/core/tensor.ts';
import { readSafetensors } from '../../src/files/safetensors.ts';
import { writeSafetensors } from '../../src/files/write-safetensors.ts';
import { initializeWeights } from '../../src/model/initialize-weights.ts';
import { type ModelOptions, modelConfig } from '../../src/model/model-config.ts';
import { parameterList, storedShapes, tensorsFromWeights } from '../../src/model/parameters.ts';
import { presets } from '../../src/model/presets.ts';
import { weightsFromTensors } from '../../src/model/weights-from-tensors.ts';
import { errorAbout } from '../support/expect-error.ts';

const options: Record<string, ModelOptions> = {
  plain: {
    srcVocab: 11,
    tgtVocab: 13,
    dModel: 6,
    heads: 2,
    feedForward: 7,
    encoderLayers: 2,
    decoderLayers: 1,
  },
  'tied target': {
    srcVocab: 11,
    tgtVocab: 13,
    dModel: 6,
    heads: 1,
    feedForward: 5,
    tie: 'target',
    positions: 'learned',
    maxLength: 9,
  },
  'tied all': {
    srcVocab: 13,
    tgtVocab: 13,
    dModel: 10,
    heads: 5,
    feedForward: 3,
    tie: 'all',
    finalNorm: false,
    outputBias: false,
  },
  'as BART': {
    srcVocab: 9,
    tgtVocab: 9,
    dModel: 8,
    heads: 2,
    headWidth: 3,
    feedForward: 4,
    embeddingNorm: true,
    positions: 'learned',
    positionOffset: 2,
  },
};
const models = Object.entries(options).map(([name, o]) => ({
  name,
  c: modelConfig(o),
  p: parameterList(modelConfig(o)),
}));

describe('names and shapes', () => {
  it("are those of PyTorch's state_dict", () => {
    const { p } = models[0]!;
    const shapes = [...storedShapes(p)].map(([name, shape]) => `${name} ${shape.join('x')}`);
    const layer = (stack: string, n: number, attentions: string[], norms: number) => [
      ...attentions.flatMap((a) => [
        `transformer.${stack}.layers.${n}.${a}.in_proj_weight 18x6`,
        `transformer.${stack}.layers.${n}.${a}.in_proj_bias 18`,
        `transformer.${stack}.layers.${n}.${a}.out_proj.weight 6x6`,
        `transformer.${stack}.layers.${n}.${a}.out_proj.bias 6`,
      ]),
      `transformer.${stack}.layers.${n}.linear1.weight 7x6`,
      `transformer.${stack}.layers.${n}.linear1.bias 7`,
      `transformer.${stack}.layers.${n}.linear2.weight 6x7`,
      `transformer.${stack}.layers.${n}.linear2.bias 6`,
      ...Array.from({ length: norms }, (_, i) => `transformer.${stack}.layers.${n}.norm${i + 1}`).flatMap(
        (norm) => [`${norm}.weight 6`, `${norm}.bias 6`],
      ),
    ];
    expect(shapes.sort()).toEqual(
      [
        'src_embed.weight 11x6',
        'tgt_embed.weight 13x6',
        ...layer('encoder', 0, ['self_attn'], 2),
        ...layer('encoder', 1, ['self_attn'], 2),
        ...layer('decoder', 0, ['self_attn', 'multihead_attn'], 3),
        'transformer.encoder.norm.weight 6',
        'transformer.encoder.norm.bias 6',
        'transformer.decoder.norm.weight 6',
        'transformer.decoder.norm.bias 6',
        'generator.weight 13x6',
        'generator.bias 13',
      ].sort(),
    );
  });

  it('store tied weights once', () => {
    const has = (i: number, name: string) => storedShapes(models[i]!.p).has(name);
    expect([has(1, 'tgt_embed.weight'), has(1, 'generator.weight')]).toEqual([true, false]);
    expect([has(2, 'tgt_embed.weight'), has(2, 'generator.weight'), has(2, 'generator.bias')]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("of the keras preset have as many weights as Keras's example", () => {
    const c = modelConfig({ ...presets.keras, srcVocab: 15000, tgtVocab: 15000 });
    expect(parameterList(c).count).toBe(19_960_216);
  });
});

describe('offsets in the parameter buffer', () => {
  for (const { name, p } of models)
    it(`do not overlap, start at multiples of 64, and matrices come before what is not decayed: ${name}`, () => {
      let end = 0;
      for (const q of p.all) {
        expect(q.offset % 64).toBe(0);
        expect(q.offset).toBe(end);
        // Copies of matrices as f16, half as long, start where a binding may too: every 256 bytes.
        const unit = q.decay ? 128 : 64;
        expect(q.offset % unit).toBe(0);
        end = q.offset + Math.ceil(sizeOf(q.shape) / unit) * unit;
        expect(q.decay).toBe(q.offset < p.decayEnd);
        expect(q.decay).toBe(q.shape.length === 2);
      }
      expect(end).toBe(p.size);
      expect(p.count).toBe([...storedShapes(p).values()].reduce((n, s) => n + sizeOf(s), 0));
    });
});

describe('weights as tensors', () => {
  for (const { name, p } of models)
    it(`have the same bits after they are saved and loaded: ${name}`, () => {
      const r = random(7);
      const tensors = tensorsFromWeights(
        p,
        Float32Array.from({ length: p.size }, () => r.normal()),
      );
      const parameterBuffer = weightsFromTensors(p, readSafetensors(writeSafetensors(tensors)));
      expect(tensorsFromWeights(p, parameterBuffer)).toEqual(tensors);
      // Every element of every parameter, and zeros between them.
      let weights = 0;
      for (const q of p.all)
        for (let i = 0; i < sizeOf(q.shape); i++) if (parameterBuffer[q.offset + i] !== 0) weights++;
      expect(weights).toBe(p.count);
      expect(parameterBuffer.filter((x) => x !== 0).length).toBe(p.count);
    });

  it('that do not fit are rejected by name', () => {
    const { c, p } = models[0]!;
    const tensors = tensorsFromWeights(p, initializeWeights(c, p, 1));
    const { 'generator.bias': bias, ...rest } = tensors;
    expect(() => weightsFromTensors(p, rest)).toThrow(
      errorAbout({ area: 'weights', values: ['generator.bias'] }),
    );
    expect(() => weightsFromTensors(p, { ...tensors, 'lm_head.weight': bias! })).toThrow(
      errorAbout({ area: 'weights', values: ['lm_head.weight'] }),
    );
    expect(() => weightsFromTensors(p, {})).toThrow(
      errorAbout({ area: 'weights', values: ['src_embed.weight'] }),
    );
    expect(() => weightsFromTensors(p, { ...rest, 'generator.bias': { ...bias!, shape: [1, 13] } })).toThrow(
      errorAbout({ area: 'weights', values: ['generator.bias', 'f32', '[1,13]', '[13]'] }),
    );
    expect(() =>
      weightsFromTensors(p, {
        ...rest,
        'generator.bias': { dtype: 'i32', shape: [13], data: new Int32Array(13) },
      }),
    ).toThrow(errorAbout({ area: 'weights', values: ['generator.bias', 'i32', '[13]'] }));
  });
});

describe('initialized weights', () => {
  const { c, p } = models[0]!;
  const at = (parameterBuffer: Float32Array, name: string) => {
    const q = p.byName.get(name)!;
    return parameterBuffer.subarray(q.offset, q.offset + sizeOf(q.shape));
  };

  it('are a function of the seed', () => {
    expect(initializeWeights(c, p, 5)).toEqual(initializeWeights(c, p, 5));
    const [a, b] = [initializeWeights(c, p, 5), initializeWeights(c, p, 6)];
    for (const q of p.all) if (q.shape.length === 2) expect(at(a, q.name)).not.toEqual(at(b, q.name));
  });

  it('differ from parameter to parameter, and do not depend on the others', () => {
    const parameterBuffer = initializeWeights(c, p, 5);
    const [first, second] = ['encoder.layers.0', 'encoder.layers.1'].map((l) =>
      at(parameterBuffer, `transformer.${l}.linear1.weight`),
    );
    expect(first).not.toEqual(second);
    const deeper = modelConfig({ ...options.plain!, decoderLayers: 3 });
    const q = parameterList(deeper);
    const place = q.byName.get('generator.weight')!;
    const other = initializeWeights(deeper, q, 5).subarray(place.offset, place.offset + sizeOf(place.shape));
    expect(other).toEqual(at(parameterBuffer, 'generator.weight'));
  });

  it('are within the bounds of Glorot and Bengio, by the fans of what PyTorch stores', () => {
    const wide = modelConfig({ srcVocab: 500, tgtVocab: 500, dModel: 64, heads: 4, feedForward: 256 });
    const q = parameterList(wide);
    const parameterBuffer = initializeWeights(wide, q, 1);
    const largest = (name: string) => {
      const { offset, shape } = q.byName.get(name)!;
      return parameterBuffer
        .subarray(offset, offset + sizeOf(shape))
        .reduce((m, x) => Math.max(m, Math.abs(x)), 0);
    };
    const layer = 'transformer.decoder.layers.0';
    for (const [name, fans] of [
      [`${layer}.self_attn.in_proj_weight`, 64 + 192],
      [`${layer}.multihead_attn.q_proj.weight`, 64 + 192],
      [`${layer}.multihead_attn.kv_proj.weight`, 64 + 192],
      [`${layer}.self_attn.out_proj.weight`, 64 + 64],
      [`${layer}.linear1.weight`, 64 + 256],
    ] as const) {
      const bound = Math.sqrt(6 / fans);
      expect(largest(name)).toBeLessThanOrEqual(bound);
      expect(largest(name)).toBeGreaterThan(0.98 * bound);
    }
  });

  it('have norms at one and zero, and zero for padding', () => {
    for (const scheme of ['xavier', 'truncated-normal'] as const) {
      const parameterBuffer = initializeWeights(c, p, 5, scheme);
      expect(at(parameterBuffer, 'transformer.encoder.norm.weight')).toEqual(new Float32Array(6).fill(1));
      expect(at(parameterBuffer, 'transformer.encoder.norm.bias')).toEqual(new Float32Array(6));
      expect(at(parameterBuffer, 'src_embed.weight').subarray(0, 6)).toEqual(new Float32Array(6));
      expect(
        at(parameterBuffer, 'src_embed.weight')
          .subarray(6)
          .every((x) => x !== 0),
      ).toBe(true);
    }
  });

  it('of the truncated normal have a deviation of 0.02, cut at twice that', () => {
    const wide = modelConfig({ srcVocab: 800, tgtVocab: 800, dModel: 64 });
    const q = parameterList(wide);
    const { offset, shape } = q.byName.get('generator.weight')!;
    const part = initializeWeights(wide, q, 1, 'truncated-normal').subarray(offset, offset + sizeOf(shape));
    expect(part.every((x) => Math.abs(x) <= 0.04 * (1 + 1e-6))).toBe(true);
    // A normal cut at two deviations has 0.8796 of the deviation; 51,200 samples are within 1 % of it.
    const deviation = Math.sqrt(part.reduce((s, x) => s + x * x, 0) / part.length);
    expect(Math.abs(deviation / (0.02 * 0.8796) - 1)).toBeLessThan(0.01);
  });
});
