// Options of decoding: defaults, validation, and the rules of a model.

import { describe, expect, it } from 'vitest';
import type { ValuesOf } from '../../src/core/fields.ts';
import { decodeFields } from '../../src/decode/decode-fields.ts';
import {
  type DecodeOptions,
  decodeSettings,
  type ModelRules,
  modeOf,
  withModelRules,
} from '../../src/decode/decode-options.ts';
import { type ExpectedError, errorAbout } from '../support/expect-error.ts';
import { smallModel } from '../support/model.ts';
import { optionFile } from '../support/option-interface.ts';
import type { Same } from '../support/types.ts';

const { c } = smallModel();
const settings = (options: DecodeOptions = {}) => decodeSettings(options, c, 16);

describe('decodeSettings', () => {
  it('defaults to greedy decoding, and to beam search with several beams', () => {
    expect(settings()).toMatchObject({ method: 'greedy', rows: 1, numReturn: 1, maxNewTokens: 16 });
    expect(settings({ beams: 3 })).toMatchObject({ method: 'beam', rows: 3 });
    expect(settings({ method: 'beam' })).toMatchObject({ method: 'beam', rows: 4 });
    expect(settings({ method: 'beam', beams: 1 })).toMatchObject({ method: 'beam', rows: 1 });
    expect(settings({ method: 'sample', numReturn: 5 })).toMatchObject({ method: 'sample', rows: 5 });
  });

  it('divides by the length penalty', () => {
    expect(settings({ lengthPenalty: 0.6 }).penalty(7)).toBeCloseTo(2 ** 0.6, 12);
    expect(settings({ lengthPenalty: 0 }).penalty(7)).toBe(1);
    expect(settings({ lengthPenalty: 'none' }).penalty(7)).toBe(1);
    expect(settings({ lengthPenalty: 'average' }).penalty(7)).toBe(7);
    expect(settings().penalty(7)).toBe(7);
    expect(settings({ lengthPenalty: { power: 2 } }).penalty(7)).toBe(49);
  });

  it('forces the end at the last position', () => {
    expect(settings({ forceEos: true, maxNewTokens: 9 }).rules.forceEndAt).toBe(8);
    expect(settings({ maxNewTokens: 9 }).rules.forceEndAt).toBe(-1);
  });

  const wrong: [DecodeOptions, ExpectedError][] = [
    [{ method: 'best' as never }, { options: ['method'], values: ['"best"', 'greedy', 'beam', 'sample'] }],
    [{ beams: 0 }, { options: ['beams'], values: [0, 1, 64] }],
    [{ beams: 65 }, { options: ['beams'], values: [65] }],
    [{ beams: 2.5 }, { options: ['beams'], values: [2.5] }],
    [
      { method: 'greedy', beams: 2 },
      { options: ['beams', 'method'], values: [2, 'greedy'] },
    ],
    [{ numReturn: 2 }, { options: ['numReturn', 'method'], values: [2, 'greedy'] }],
    [
      { beams: 3, numReturn: 4 },
      { options: ['numReturn'], values: [4, 1, 3] },
    ],
    [{ lengthPenalty: -1 }, { options: ['lengthPenalty'], values: [-1] }],
    [{ lengthPenalty: 'google' as never }, { options: ['lengthPenalty'], values: ['"google"'] }],
    [{ lengthPenalty: { power: Number.NaN } }, { options: ['lengthPenalty'], values: ['{"power":null}'] }],
    [{ temperature: 1 }, { options: ['temperature', 'method'], values: [1, 'greedy', 'sample'] }],
    [
      { beams: 2, topK: 1 },
      { options: ['topK', 'method'], values: [1, 'beam', 'sample'] },
    ],
    [
      { method: 'sample', temperature: 0 },
      { options: ['temperature'], values: [0, 0.001, 1000] },
    ],
    [
      { method: 'sample', topP: 0 },
      { options: ['topP'], values: [0, 1] },
    ],
    [
      { method: 'sample', topP: 1.5 },
      { options: ['topP'], values: [1.5, 1] },
    ],
    [
      { method: 'sample', topK: -1 },
      { options: ['topK'], values: [-1, 0] },
    ],
    [
      { method: 'sample', seed: 2 ** 32 },
      { options: ['seed'], values: [4294967296] },
    ],
    [
      { method: 'sample', earlyStopping: true },
      { options: ['earlyStopping', 'method'], values: ['true'] },
    ],
    [
      { beams: 2, earlyStopping: 'soon' as never },
      { options: ['earlyStopping'], values: ['"soon"'] },
    ],
    [{ maxNewTokens: 17 }, { options: ['maxNewTokens'], values: [17, 1, 16] }],
    [
      { minNewTokens: 5, maxNewTokens: 5 },
      { options: ['minNewTokens', 'maxNewTokens'], values: [5] },
    ],
    [{ noRepeatNgramSize: -2 }, { options: ['noRepeatNgramSize'], values: [-2] }],
    [{ suppressTokens: [23] }, { options: ['suppressTokens'], values: ['[23]', 22] }],
    [{ suppressTokens: Array.from({ length: 23 }, (_, i) => i) }, { options: ['suppressTokens'] }],
    [{ forcedBosTokenId: 23 }, { options: ['forcedBosTokenId'], values: [23, 22] }],
    [{ forceEos: 1 as never }, { options: ['forceEos'], values: [1] }],
    [{ beamSize: 4 } as never, { values: ['beamSize', 'beams'] }],
    [{ nBest: 2 } as never, { values: ['nBest'] }],
  ];
  for (const [options, expected] of wrong)
    it(`rejects ${JSON.stringify(options)}`, () =>
      expect(() => settings(options)).toThrow(errorAbout({ area: 'decode', ...expected })));
});

it('has an interface with the help texts of the table', async () => {
  const rows = Object.entries(decodeFields);
  const file = optionFile(
    'The options of decoding with their documentation.',
    'src/decode/decode-fields.ts',
    'tests/decode/decode-options.test.ts',
    ["import type { LengthPenalty } from './decode-fields.ts';"],
    [
      {
        name: 'DecodeOptions',
        help: "Options of decoding, named as in transformers' GenerationConfig in camelCase, except `method` (do_sample), `beams` (num_beams) and `numReturn` (num_return_sequences).",
        rows,
        optional: true,
        more: [
          '  /** Called after each batch with the number of translated texts and the number of all texts. */',
          '  readonly onProgress?: (done: number, total: number) => void;',
          '  /** Stops the translation, which throws an AbortError. */',
          '  readonly signal?: AbortSignal;',
        ],
      },
    ],
  );
  await expect(file).toMatchFileSnapshot('../../src/decode/decode-option-types.ts');
  type Values = Partial<ValuesOf<typeof decodeFields>>;
  const same: Same<Omit<DecodeOptions, 'onProgress' | 'signal'>, Values> = true;
  expect(same).toBe(true);
});

describe('rules of a model', () => {
  const rules: ModelRules = { minNewTokens: 9, suppressTokens: [0, 4], forceEos: true, noRepeatNgramSize: 3 };
  const under = (options: DecodeOptions = {}) => settings(withModelRules(rules, options, 16)).rules;

  it('are the defaults of the options', () => {
    expect(under()).toMatchObject({ minLength: 9, banned: [0, 4], forceEndAt: 15, noRepeatNgram: 3 });
    expect(under({ minNewTokens: 2, forceEos: false, noRepeatNgramSize: 0 })).toMatchObject({
      minLength: 2,
      forceEndAt: -1,
      noRepeatNgram: 0,
    });
    expect(settings(withModelRules({}, {}, 16))).toMatchObject({ rules: settings().rules });
  });

  it('suppress their tokens in addition to those of the caller', () => {
    expect(under({ suppressTokens: [5, 4] }).banned).toEqual([0, 4, 5]);
    expect(under({ suppressTokens: [] }).banned).toEqual([0, 4]);
  });

  it('reduce their minNewTokens if maxNewTokens leaves no room, which is an error in a call', () => {
    expect(under({ maxNewTokens: 9 }).minLength).toBe(8);
    expect(under({ maxNewTokens: 1 }).minLength).toBe(0);
    expect(settings(withModelRules(rules, {}, 5)).rules.minLength).toBe(4);
    expect(() => under({ minNewTokens: 9, maxNewTokens: 9 })).toThrow(
      errorAbout({ area: 'decode', options: ['minNewTokens', 'maxNewTokens'], values: [9] }),
    );
    expect(() => under({ maxNewTokens: 0 })).toThrow(
      errorAbout({ area: 'decode', options: ['maxNewTokens'], values: [0] }),
    );
  });
});

describe('modeOf', () => {
  it('does not depend on options that are only inputs of the programs', () => {
    const plain = modeOf(settings());
    expect(plain).toEqual({ method: 'greedy', rules: false, banned: 0 });
    expect(modeOf(settings({ maxNewTokens: 3 }))).toEqual(plain);
    const sample = (options: DecodeOptions) => modeOf(settings({ method: 'sample', ...options }));
    expect(sample({ topK: 3, temperature: 2 })).toEqual(sample({ topP: 0.2, seed: 9 }));
    expect(sample({ minNewTokens: 1 })).toEqual(sample({ noRepeatNgramSize: 3, forceEos: true }));
  });

  it('rounds the room for suppressed tokens up to a power of two', () => {
    expect(
      [1, 2, 3, 5].map((n) => modeOf(settings({ suppressTokens: [4, 5, 6, 7, 8].slice(0, n) })).banned),
    ).toEqual([1, 2, 4, 8]);
  });
});
