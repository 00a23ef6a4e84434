// What the options of decoding ask for, and what they refuse rather than pass over.
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addDecodingOptions, type DecodingOptions, decodingOf } from '../../src/cli/decode-flags.ts';

function asked(line: string, more: DecodingOptions = {}) {
  const command = addDecodingOptions(new Command().exitOverride().configureOutput({ writeErr: () => {} }));
  command.parse(line.split(' ').filter(Boolean), { from: 'user' });
  return decodingOf({ ...command.opts<DecodingOptions>(), ...more });
}

describe('what is asked for', () => {
  it('is nothing where nothing is said', () => expect(asked('')).toEqual({}));

  it('is all that is said', () => {
    expect(
      asked('--beam 4 --early-stopping --length-penalty power:2 --min-tokens 3 --unique-ngrams 2 --ban 5,6'),
    ).toEqual({
      beams: 4,
      earlyStopping: true,
      lengthPenalty: { power: 2 },
      minNewTokens: 3,
      noRepeatNgramSize: 2,
      suppressTokens: [5, 6],
    });
    expect(asked('--sample --temperature 0.5 --top-k 3 --top-p 0.9 --seed 7')).toEqual({
      method: 'sample',
      temperature: 0.5,
      topK: 3,
      topP: 0.9,
      seed: 7,
    });
    expect(asked('--length-penalty none', { nBest: 1 })).toEqual({ lengthPenalty: 'none', numReturn: 1 });
  });

  it.each([
    ['--early-stopping', '--early-stopping needs --beam 2 or more'],
    ['--beam 1 --early-stopping', '--early-stopping needs --beam 2 or more'],
    ['--sample --early-stopping', '--early-stopping needs --beam 2 or more'],
    ['--length-penalty 0.6', '--length-penalty needs --beam 2 or more'],
    ['--sample --length-penalty 0.6', '--length-penalty needs --beam 2 or more'],
    ['--temperature 2', '--temperature needs --sample'],
    ['--seed 2', '--seed needs --sample'],
    ['--sample --beam 2', '--sample and --beam exclude each other'],
  ])('is refused: %s', (line, said) => expect(() => asked(line)).toThrow(said));
});
