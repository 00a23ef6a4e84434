// The options that say what of a model is trained.
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addTuning, checkPlaces, type TuningFlags, tuningOf } from '../../src/cli/trainable-flags.ts';

/** The arguments that a command line makes. */
function parsed(line: string, initFrom?: string) {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addTuning(command);
  command.parse(line.split(' ').filter(Boolean), { from: 'user' });
  return tuningOf(command.opts<TuningFlags>(), initFrom);
}

it('freezes what is named, in one option or several', () => {
  expect(parsed('')).toEqual({});
  expect(parsed('--freeze encoder.* --freeze *.bias,src_embed.*')).toEqual({
    freeze: ['encoder.*', '*.bias', 'src_embed.*'],
  });
});

it('describes an adapter, of queries and values unless said otherwise', () => {
  expect(parsed('--lora 8', 'base')).toEqual({ lora: { rank: 8, alpha: 16, targets: ['*.q', '*.v'], dropout: 0 } });
  expect(parsed('--lora 4 --lora-alpha 4 --lora-targets fc1,*.out_proj --lora-dropout 0.1', 'base')).toEqual({
    lora: { rank: 4, alpha: 4, targets: ['fc1', '*.out_proj'], dropout: 0.1 },
  });
});

describe.each([
  ['--lora-alpha 4', 'base', '--lora-alpha 4: give the rank too, as --lora 8'],
  ['--lora-targets fc1', 'base', '--lora-targets fc1: give the rank too'],
  ['--lora 4 --freeze encoder.*', 'base', '--freeze encoder.*: with --lora all weights are frozen'],
  ['--lora 4', undefined, '--lora 4: an adapter is for a model that is trained already; name its folder by --init'],
  ['--lora 0', 'base', "'0' is invalid. It must be a whole number of at least 1."],
  ['--freeze ,', 'base', 'It must be a pattern of names, as encoder.*'],
])('%s', (line, initFrom, said) => {
  it('is refused', () => expect(() => parsed(line, initFrom)).toThrow(said));
});

it('keeps an adapter from the place of the model that it is for', () => {
  const { lora } = parsed('--lora 4', 'a/base');
  expect(() => checkPlaces({ ...(lora && { lora }), initFrom: 'a/base', out: './a/base' })).toThrow(
    '--out ./a/base: the model that the adapter is for is there; name another folder',
  );
  checkPlaces({ ...(lora && { lora }), initFrom: 'a/base', out: 'a/other' });
  checkPlaces({ initFrom: 'a/base', out: 'a/base' });
});
