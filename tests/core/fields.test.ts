// Tables of options: checks, words, flags, and suggestions for unknown names.
import { describe, expect, it } from 'vitest';
import {
  boolean,
  checkFields,
  choice,
  custom,
  defaultsOf,
  describeType,
  type FieldType,
  fitsType,
  flagOf,
  fraction,
  integer,
  list,
  positive,
  rate,
  suggestion,
  text,
  typescriptOf,
} from '../../src/core/fields.ts';
import { renderMessage } from '../../src/core/message.ts';
import { errorAbout, holeValues } from '../support/expect-error.ts';

const pair = custom<readonly [number, number]>({
  unit: 'a,b',
  words: 'two numbers',
  typescript: 'readonly [number, number]',
  accepts: (value): value is readonly [number, number] => Array.isArray(value) && value.length === 2,
});
const table = {
  steps: { type: integer(1, 'steps'), help: 'number of steps', default: 10 },
  learningRate: { type: positive('rate'), help: 'learning rate' },
  kind: { type: choice(['plain', 'gated']), help: 'kind', default: 'plain', flag: null },
} as const;

describe('types', () => {
  const cases: [FieldType, string, string, unknown[], unknown[]][] = [
    [integer(1), 'a whole number of at least 1', 'number', [1, 7], [0, 1.5, '1', Number.NaN, 2 ** 53]],
    [integer(4, 'n', 8, 4), 'a whole number from 4 to 8 and a multiple of 4', 'number', [4, 8], [0, 6, 12]],
    [rate, 'a number of at least 0 and below 1', 'number', [0, 0.99], [1, -0.1, null]],
    [fraction, 'a number above 0 and below 1', 'number', [0.5], [0, 1]],
    [positive(), 'a number above 0', 'number', [1e-9], [0, Infinity]],
    [{ kind: 'number', min: 1, max: 2, unit: '' }, 'a number from 1 to 2', 'number', [1, 2], [0.9, 2.1]],
    [choice(['a', 'b']), 'one of a, b', "'a' | 'b'", ['a'], ['c', 1]],
    [boolean, 'true or false', 'boolean', [true, false], ['true', 1]],
    [text(), 'a text', 'string', [''], [1]],
    [list('names'), 'a list of texts', 'readonly string[]', [[], ['a']], ['a', [1]]],
    [pair, 'two numbers', 'readonly [number, number]', [[1, 2]], [[1]]],
  ];
  it.each(cases)('%o', (type, words, typescript, good, bad) => {
    expect(renderMessage(describeType(type))).toBe(words);
    expect(typescriptOf(type)).toBe(typescript);
    expect(good.filter((value) => !fitsType(type, value))).toEqual([]);
    expect(bad.filter((value) => fitsType(type, value))).toEqual([]);
  });
});

it('collects constant defaults', () => expect(defaultsOf(table)).toEqual({ steps: 10, kind: 'plain' }));

it('names the flag of a field', () => {
  expect(flagOf('gradientAccumulationSteps')).toBe('--gradient-accumulation-steps');
  expect(flagOf('lora.rank')).toBe('--lora-rank');
  expect(flagOf('model', { flag: 'set' })).toBe('--set');
  expect(flagOf('kind', table.kind)).toBeUndefined();
});

describe('checks', () => {
  const check = (values: object) => () => checkFields({ area: 'train' }, table, values);
  it('accept values in range, and fields that are not given', () =>
    expect(check({ steps: 1, learningRate: undefined })).not.toThrow());
  it('name a wrong value and what it must be', () => {
    expect(check({ steps: 0 })).toThrow(errorAbout({ area: 'train', options: ['steps'], values: [0, 1] }));
    expect(check({ kind: 'x' })).toThrow(
      errorAbout({ area: 'train', options: ['kind'], values: ['"x"', 'plain', 'gated'] }),
    );
    expect(() =>
      checkFields({ area: 'm/config.json', label: () => 'num_steps' }, table, { steps: Number.NaN }),
    ).toThrow(errorAbout({ area: 'm/config.json', values: ['num_steps'] }));
  });
  it('suggest a name for an unknown one', () => {
    expect(check({ step: 3 })).toThrow(errorAbout({ area: 'train', values: ['step', 'steps'] }));
    expect(check({ learning_rate: 3 })).toThrow(errorAbout({ area: 'train', values: ['learningRate'] }));
    expect(check({ learnRate: 3 })).toThrow(errorAbout({ area: 'train', values: ['learningRate'] }));
    expect(check({ toString: 3 })).toThrow(errorAbout({ area: 'train', values: ['toString', 'steps'] }));
  });
});

it('lists known names only if they are few', () => {
  const many = Array.from({ length: 60 }, (_, i) => `name${i}`);
  expect(suggestion('qqqqqqqqqqq', many)).toBeUndefined();
  expect(holeValues(suggestion('nme59', many))).toEqual(['name59']);
});
