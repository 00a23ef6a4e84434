// Values of tables of options from texts.
import { describe, expect, it } from 'vitest';
import { parseAssignment, parseField } from '../../src/commands/field-parsers.ts';
import { choice, integer, list, rate } from '../../src/core/fields.ts';
import { decodeFields } from '../../src/decode/decode-fields.ts';
import { dropoutType } from '../../src/model/model-fields.ts';
import { settings } from '../../src/train/settings/settings.ts';
import { errorAbout } from '../support/expect-error.ts';

describe('texts', () => {
  it('become values', () => {
    expect(parseField(integer(1), ' 3 ')).toBe(3);
    expect(parseField(list('x'), 'a, b', ['c'])).toEqual(['c', 'a', 'b']);
    expect(parseField(settings.betas.type, '0.9,0.98')).toEqual([0.9, 0.98]);
    expect(parseField(decodeFields.suppressTokens.type, '3, 4')).toEqual([3, 4]);
    expect(parseField(decodeFields.lengthPenalty.type, 'power:0.5')).toEqual({ power: 0.5 });
    expect(parseField(settings.model.type, 'heads=4', { norm: 'pre' })).toEqual({ norm: 'pre', heads: 4 });
    expect(parseField(dropoutType, 'attention=0.2', 0.1)).toMatchObject({ attention: 0.2, residual: 0.1 });
    expect(parseAssignment('heads=4', { norm: 'pre' })).toEqual({ norm: 'pre', heads: 4 });
    expect(parseAssignment('norm=pre')).toEqual({ norm: 'pre' });
  });
  it.each([
    [integer(1), '', { values: [1] }],
    [rate, '1', { values: [0, 1] }],
    [list('x'), ',', { template: 'It must be a list with commas, for example encoder.*,*.bias.' }],
    [choice(['a']), 'b', { values: ['a'] }],
    [settings.betas.type, '0.9', { template: 'It must be two rates, for example 0.9,0.98.' }],
    [dropoutType, 'nowhere=0.1', { values: ['embedding'] }],
  ] as const)('of %o say what is wrong', (type, words, expected) =>
    expect(() => parseField(type, words)).toThrow(errorAbout(expected)),
  );
  it('without an equals sign are no assignment', () =>
    expect(() => parseAssignment('heads')).toThrow(
      errorAbout({ template: 'It must be field=value, for example dModel=96.' }),
    ));
});
