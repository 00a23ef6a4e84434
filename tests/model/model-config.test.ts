// The configuration: defaults, and errors that name the field, its value and what it may be.

import { describe, expect, it } from 'vitest';
import type { OptionField, ValuesOf } from '../../src/core/fields.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../../src/model/model-config.ts';
import type { DropoutRates } from '../../src/model/model-config-types.ts';
import { dropoutPlaces, modelFields } from '../../src/model/model-fields.ts';
import { presets } from '../../src/model/presets.ts';
import { type ExpectedError, errorAbout } from '../support/expect-error.ts';
import { optionFile } from '../support/option-interface.ts';
import type { Same } from '../support/types.ts';

const required: ModelOptions = { srcVocab: 10, tgtVocab: 12 };

describe('a configuration', () => {
  it('needs only the vocabularies', () => {
    const c = modelConfig(required);
    expect(c).toMatchObject({ srcVocab: 10, tgtVocab: 12, dModel: 128, heads: 4, headWidth: 32, padId: 0 });
    expect(modelConfig({ ...required, dModel: undefined } as unknown as ModelOptions)).toEqual(c);
  });

  it('is the same after it is saved and read', () => {
    for (const preset of Object.values(presets)) {
      const c = modelConfig({ srcVocab: 12, tgtVocab: 12, ...preset });
      expect(modelConfig(JSON.parse(JSON.stringify(c)))).toEqual(c);
    }
  });

  it("takes one rate of dropout for the paper's places, or one for each", () => {
    const all = { embedding: 0.1, attention: 0.1, feedForward: 0.1, residual: 0.1, memory: 0, output: 0 };
    expect(modelConfig({ ...required, dropout: 0.1 }).dropout).toEqual(all);
    expect(modelConfig({ ...required, dropout: { output: 0.5 } }).dropout).toEqual({
      embedding: 0,
      attention: 0,
      feedForward: 0,
      residual: 0,
      memory: 0,
      output: 0.5,
    });
  });

  it('allows heads that are wider than dModel / heads', () => {
    expect(modelConfig({ ...required, dModel: 10, heads: 3, headWidth: 7 }).headWidth).toBe(7);
  });

  it.each<[Partial<ModelOptions>, Partial<ModelOptions>]>([
    [
      { heads: 3, headWidth: 7 },
      { decoderHeads: 3, decoderHeadWidth: 7, decoderFeedForward: 512 },
    ],
    [
      { heads: 3, headWidth: 7, decoderHeads: 5, feedForward: 9 },
      { decoderHeadWidth: 2, decoderFeedForward: 9 },
    ],
    [
      { heads: 2, decoderHeads: 2, decoderHeadWidth: 3, decoderFeedForward: 8 },
      { headWidth: 5, decoderHeadWidth: 3, feedForward: 512, decoderFeedForward: 8 },
    ],
  ])('gives the decoder the sizes of the encoder by default: %o', (options, wanted) => {
    expect(modelConfig({ ...required, dModel: 10, ...options })).toMatchObject(wanted);
  });
});

it('has an interface with the help texts of the table', async () => {
  const file = optionFile(
    'The types of a model configuration.',
    'src/model/model-fields.ts',
    'tests/model/model-config.test.ts',
    [],
    [
      {
        name: 'DropoutRates',
        help: 'Dropout rates of a model. Dropout is applied only in training.',
        rows: Object.entries(dropoutPlaces),
        optional: false,
      },
      {
        name: 'ModelConfig',
        help: 'Configuration of a model: everything that determines what it computes.',
        rows: Object.entries<OptionField>(modelFields).map(([name, row]) => [
          name,
          name === 'dropout'
            ? { ...row, type: { ...row.type, typescript: 'DropoutRates' } as typeof row.type }
            : row,
        ]),
        optional: false,
      },
    ],
  );
  await expect(file).toMatchFileSnapshot('../../src/model/model-config-types.ts');
  const same: Same<
    ModelConfig,
    Omit<ValuesOf<typeof modelFields>, 'dropout'> & { readonly dropout: DropoutRates }
  > = true;
  const places: Same<DropoutRates, ValuesOf<typeof dropoutPlaces>> = true;
  expect([same, places]).toEqual([true, true]);
});

describe('an invalid field is named with its value and the allowed values', () => {
  const cases: [Record<string, unknown>, ExpectedError][] = [
    [{ encoderLayers: 1001 }, { area: 'config', values: ['encoderLayers', 1001, 1, 1000] }],
    [{ maxLength: 2 ** 20 + 1 }, { area: 'config', values: ['maxLength', 1] }],
    [{ srcVocab: 2 ** 25 }, { area: 'config' }],
    [{ dModel: 0 }, { area: 'config', values: ['dModel', 0, 1] }],
    [{ dModel: 12.5 }, { area: 'config', values: ['dModel', 12.5, 1] }],
    [{ dModel: '128' }, { area: 'config', values: ['dModel', '"128"', 1] }],
    [
      { heads: 3 },
      { area: 'config', options: ['dModel', 'headWidth'], offers: [{ heads: 4 }], values: ['heads', 3, 128] },
    ],
    [{ heads: Number.NaN }, { area: 'config', values: ['heads', 1] }],
    [
      { decoderHeads: 3 },
      {
        area: 'config',
        options: ['dModel', 'decoderHeadWidth'],
        offers: [{ decoderHeads: 4 }],
        values: ['decoderHeads', 3, 128],
      },
    ],
    [
      { decoderHeads: 1, decoderHeadWidth: 897 },
      { area: 'config', values: ['decoderHeadWidth', 897, 1, 896] },
    ],
    [{ decoderFeedForward: 0 }, { area: 'config', values: ['decoderFeedForward', 0, 1] }],
    [{ headWidth: 0 }, { area: 'config', values: ['headWidth', 0, 1, 896] }],
    [{ encoderLayers: -1 }, { area: 'config', values: ['encoderLayers', -1, 1, 1000] }],
    [{ decoderLayers: 0 }, { area: 'config', values: ['decoderLayers', 0, 1, 1000] }],
    [{ feedForward: Number.POSITIVE_INFINITY }, { area: 'config', values: ['feedForward', 1] }],
    [{ maxLength: 0 }, { area: 'config', values: ['maxLength', 0, 1] }],
    [{ srcVocab: 3 }, { area: 'config', values: ['srcVocab', 3, 4] }],
    [{ srcVocab: undefined }, { area: 'config', values: ['srcVocab', 'undefined', 4] }],
    [{ tgtVocab: 2 ** 53 }, { area: 'config', values: ['tgtVocab', 4] }],
    [{ padId: 12 }, { area: 'config', options: ['tgtVocab'], values: ['padId', 12] }],
    [{ padId: 10 }, { area: 'config', options: ['srcVocab'], values: ['padId', 10] }],
    [{ endId: -1 }, { area: 'config', values: ['endId', -1, 0] }],
    [{ startId: 99 }, { area: 'config', options: ['tgtVocab'], values: ['startId', 99, 12] }],
    [{ norm: 'middle' }, { area: 'config', values: ['norm', '"middle"', 'post', 'pre'] }],
    [{ activation: 'tanh' }, { area: 'config', values: ['activation', '"tanh"', 'relu', 'gelu'] }],
    [
      { positions: 'rotary' },
      { area: 'config', values: ['positions', '"rotary"', 'sinusoidal', 'sinusoidal-halves'] },
    ],
    [{ tie: 'source' }, { area: 'config', values: ['tie', '"source"', 'none', 'target'] }],
    [{ tie: 'all' }, { area: 'config', options: ['srcVocab', 'tgtVocab'], values: ['tie', '"all"', 10, 12] }],
    [{ finalNorm: 1 }, { area: 'config', values: ['finalNorm', 1] }],
    [{ scaleEmbedding: 'no' }, { area: 'config', values: ['scaleEmbedding', '"no"'] }],
    [{ outputBias: null }, { area: 'config', values: ['outputBias', 'null'] }],
    [{ dropout: 1 }, { area: 'config', values: ['dropout.embedding', 1, 0] }],
    [{ dropout: { attention: -0.1 } }, { area: 'config', values: ['dropout.attention', -0.1, 0, 1] }],
    [{ dropout: { attention: '0.1' } }, { area: 'config', values: ['dropout.attention', '"0.1"', 0, 1] }],
    [
      { dropout: { everywhere: 0.1 } },
      { area: 'config', values: ['dropout place', 'everywhere', 'embedding', 'attention'] },
    ],
    [{ dropout: { toString: 0.1 } }, { area: 'config', values: ['dropout place', 'toString'] }],
    [{ dropout: '0.1' }, { area: 'config', values: ['dropout', '"0.1"'] }],
    [{ dropout: true }, { area: 'config', values: ['dropout', 'true'] }],
    [{ dropout: null }, { area: 'config', values: ['dropout', 'null'] }],
    [{ labelSmoothing: 1 }, { area: 'config', values: ['labelSmoothing', 1, 0] }],
    [{ labelSmoothing: '0.1' }, { area: 'config', values: ['labelSmoothing', '"0.1"', 0, 1] }],
    [{ layerNormEps: 0 }, { area: 'config', values: ['layerNormEps', 0, 1] }],
    [{ layerNormEps: '1e-5' }, { area: 'config', values: ['layerNormEps', '"1e-5"', 0, 1] }],
    [{ d_model: 128 }, { area: 'config', values: ['field', 'd_model', 'dModel'] }],
    [{ constructor: 1 }, { area: 'config', values: ['field', 'constructor'] }],
  ];
  for (const [wrong, expected] of cases)
    it(JSON.stringify(wrong), () => {
      const make = () => modelConfig({ ...required, ...wrong } as ModelOptions);
      expect(make).toThrow(errorAbout(expected));
    });
});
