// Decoding options from flags, and combinations of flags that are errors.
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addDecodingFlags, type DecodingFlags, decodeOptionsOf } from '../../src/commands/decode-flags.ts';
import { type ExpectedError, errorAbout } from '../support/expect-error.ts';

function optionsOf(line: string, more: DecodingFlags = {}) {
  const command = addDecodingFlags(new Command().exitOverride().configureOutput({ writeErr: () => {} }));
  command.parse(line.split(' ').filter(Boolean), { from: 'user' });
  return decodeOptionsOf({ ...command.opts<DecodingFlags>(), ...more });
}

describe('decoding options', () => {
  it('are empty without flags', () => expect(optionsOf('')).toEqual({}));

  it('have the values of the flags', () => {
    expect(
      optionsOf(
        '--beams 4 --early-stopping --length-penalty power:2 --min-new-tokens 3 --no-repeat-ngram-size 2 --suppress-tokens 5,6',
      ),
    ).toEqual({
      beams: 4,
      earlyStopping: true,
      lengthPenalty: { power: 2 },
      minNewTokens: 3,
      noRepeatNgramSize: 2,
      suppressTokens: [5, 6],
    });
    expect(optionsOf('--method sample --temperature 0.5 --top-k 3 --top-p 0.9 --seed 7')).toEqual({
      method: 'sample',
      temperature: 0.5,
      topK: 3,
      topP: 0.9,
      seed: 7,
    });
    expect(optionsOf('--length-penalty none', { numReturn: 1 })).toEqual({
      lengthPenalty: 'none',
      numReturn: 1,
    });
  });

  it.each<[string, ExpectedError]>([
    ['--early-stopping', { values: ['--early-stopping'] }],
    ['--beams 1 --early-stopping', { values: ['--early-stopping'] }],
    ['--method sample --early-stopping', { values: ['--early-stopping'] }],
    ['--length-penalty 0.6', { values: ['--length-penalty'] }],
    ['--method sample --length-penalty 0.6', { values: ['--length-penalty'] }],
    ['--temperature 2', { values: ['--temperature'] }],
    ['--seed 2', { values: ['--seed'] }],
    ['--method sample --beams 2', { values: ['sample', 2] }],
  ])('reject %s', (line, expected) => expect(() => optionsOf(line)).toThrow(errorAbout(expected)));
});
