// The configuration: defaults, and errors that name the field, its value and what it may be.

import { describe, expect, it } from 'vitest';
import { HeddleError } from '../../src/core/errors.ts';
import type { OptionField, ValuesOf } from '../../src/core/fields.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../../src/model/model-config.ts';
import type { DropoutRates } from '../../src/model/model-config-types.ts';
import { dropoutPlaces, modelFields } from '../../src/model/model-fields.ts';
import { positionKinds } from '../../src/model/positions.ts';
import { presets } from '../../src/model/presets.ts';
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
  const cases: [Record<string, unknown>, string][] = [
    [{ encoderLayers: 1001 }, 'config: encoderLayers is 1001, it must be a whole number from 1 to 1000'],
    [{ maxLength: 2 ** 20 + 1 }, 'config: maxLength is 1048577, it must be a whole number from 1 to 1048576'],
    [{ srcVocab: 2 ** 25 }, 'parameters, at most 4294967296 are supported'],
    [{ dModel: 0 }, 'config: dModel is 0, it must be a whole number of at least 1'],
    [{ dModel: 12.5 }, 'config: dModel is 12.5, it must be a whole number of at least 1'],
    [{ dModel: '128' }, 'config: dModel is "128", it must be a whole number of at least 1'],
    [{ heads: 3 }, 'config: heads is 3, it must be a divisor of dModel 128 if headWidth is not given'],
    [{ heads: Number.NaN }, 'config: heads is NaN, it must be a whole number of at least 1'],
    [
      { decoderHeads: 3 },
      'config: decoderHeads is 3, it must be a divisor of dModel 128 if decoderHeadWidth is not',
    ],
    [
      { decoderHeads: 1, decoderHeadWidth: 897 },
      'config: decoderHeadWidth is 897, it must be a whole number from 1 to 896',
    ],
    [{ decoderFeedForward: 0 }, 'config: decoderFeedForward is 0, it must be a whole number of at least 1'],
    [{ headWidth: 0 }, 'config: headWidth is 0, it must be a whole number from 1 to 896'],
    [{ encoderLayers: -1 }, 'config: encoderLayers is -1, it must be a whole number from 1 to 1000'],
    [{ decoderLayers: 0 }, 'config: decoderLayers is 0, it must be a whole number from 1 to 1000'],
    [
      { feedForward: Number.POSITIVE_INFINITY },
      'config: feedForward is Infinity, it must be a whole number of at least 1',
    ],
    [{ maxLength: 0 }, 'config: maxLength is 0, it must be a whole number from 1 to 1048576'],
    [{ srcVocab: 3 }, 'config: srcVocab is 3, it must be a whole number of at least 4'],
    [{ srcVocab: undefined }, 'config: srcVocab is undefined, it must be a whole number of at least 4'],
    [{ tgtVocab: 2 ** 53 }, 'config: tgtVocab is 9007199254740992, it must be a whole number of at least 4'],
    [{ padId: 12 }, 'config: padId is 12, it must be below tgtVocab 12'],
    [{ padId: 10 }, 'config: padId is 10, it must be below srcVocab 10'],
    [{ endId: -1 }, 'config: endId is -1, it must be a whole number of at least 0'],
    [{ startId: 99 }, 'config: startId is 99, it must be below tgtVocab 12'],
    [{ norm: 'middle' }, 'config: norm is "middle", it must be one of post, pre'],
    [
      { activation: 'tanh' },
      'config: activation is "tanh", it must be one of relu, gelu, silu, gelu-tanh, quick-gelu',
    ],
    [
      { positions: 'rotary' },
      `config: positions is "rotary", it must be one of ${Object.keys(positionKinds).join(', ')}`,
    ],
    [{ tie: 'source' }, 'config: tie is "source", it must be one of none, target, all'],
    [{ tie: 'all' }, 'config: tie is "all", it must be none or target if srcVocab 10 and tgtVocab 12 differ'],
    [{ finalNorm: 1 }, 'config: finalNorm is 1, it must be true or false'],
    [{ scaleEmbedding: 'no' }, 'config: scaleEmbedding is "no", it must be true or false'],
    [{ outputBias: null }, 'config: outputBias is null, it must be true or false'],
    [{ dropout: 1 }, 'config: dropout.embedding is 1, it must be a number of at least 0 and below 1'],
    [
      { dropout: { attention: -0.1 } },
      'config: dropout.attention is -0.1, it must be a number of at least 0 and below 1',
    ],
    [
      { dropout: { attention: '0.1' } },
      'config: dropout.attention is "0.1", it must be a number of at least 0 and below 1',
    ],
    [
      { dropout: { everywhere: 0.1 } },
      'config: there is no dropout place everywhere; the names are embedding, attention,',
    ],
    [{ dropout: { toString: 0.1 } }, 'config: there is no dropout place toString'],
    [{ dropout: '0.1' }, 'config: dropout is "0.1", it must be a rate or a rate for each place'],
    [{ dropout: true }, 'config: dropout is true, it must be a rate or a rate for each place'],
    [{ dropout: null }, 'config: dropout is null, it must be a rate or a rate for each place'],
    [{ labelSmoothing: 1 }, 'config: labelSmoothing is 1, it must be a number of at least 0 and below 1'],
    [
      { labelSmoothing: '0.1' },
      'config: labelSmoothing is "0.1", it must be a number of at least 0 and below 1',
    ],
    [{ layerNormEps: 0 }, 'config: layerNormEps is 0, it must be a number above 0 and below 1'],
    [{ layerNormEps: '1e-5' }, 'config: layerNormEps is "1e-5", it must be a number above 0 and below 1'],
    [{ d_model: 128 }, 'config: there is no field d_model. Did you mean dModel?'],
    [{ constructor: 1 }, 'config: there is no field constructor'],
  ];
  for (const [wrong, message] of cases)
    it(message, () => {
      const make = () => modelConfig({ ...required, ...wrong } as ModelOptions);
      expect(make).toThrow(HeddleError);
      expect(make).toThrow(message);
    });
});
