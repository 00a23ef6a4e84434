// Old flag names, which still work and print the new name, and the names that other tools use.
import { beforeAll, describe, expect, it } from 'vitest';
import { currentFlags, flagAliases, renamedFlags } from '../../src/commands/renamed-flags.ts';
import { heddle } from '../support/cli.ts';

describe('renamed flags', () => {
  it('are listed for each command', () => {
    const decoding = {
      '--beam': '--beam-size',
      '--beams': '--beam-size',
      '--min-tokens': '--min-new-tokens',
      '--unique-ngrams': '--no-repeat-ngram-size',
      '--ban': '--suppress-tokens',
      '--batch': '--batch-size',
    };
    const sizes = {
      '--batch': '--batch-size',
      '--source': '--source-length',
      '--target': '--target-length',
      '--vocab': '--vocab-size',
    };
    expect(renamedFlags).toEqual({
      translate: { ...decoding, '--n-best': '--num-return', '--max-tokens': '--max-new-tokens' },
      eval: decoding,
      distill: { '--beams': '--beam-size', '--translate-batch': '--teacher-batch-size' },
      convert: { '--adapter': '--lora-adapter' },
      plan: { ...sizes, '--checkpoint-layers': '--gradient-checkpointing' },
      profile: sizes,
      tune: sizes,
      bench: {
        '--batch': '--batch-size',
        '--vocab': '--vocab-size',
        '--timed-steps': '--steps',
        '--presets': '--preset',
      },
    });
    expect(flagAliases).toEqual({
      '--num-beams': '--beam-size',
      '--num-return-sequences': '--num-return',
      '--do-sample': '--sample',
      '--backend': '--host',
    });
  });

  describe.each(Object.keys(renamedFlags))('of %s', (command) => {
    let help = '';
    beforeAll(async () => {
      help = (await heddle([command, '--help'])).stdout;
    });

    it.each(Object.entries(renamedFlags[command] ?? {}))('%s works and prints %s', (old, name) => {
      const notices: string[] = [];
      expect(currentFlags([command, old, '4'], (line) => notices.push(line))).toEqual([command, name, '4']);
      expect(notices).toEqual([`heddle: ${old} is now ${name}`]);
      expect(help).toMatch(new RegExp(`^ +${name}\\b`, 'm'));
    });
  });

  it('keep values after an equals sign, and arguments after --', () => {
    const args = ['translate', 'm', '--beam=4', '--beam-size=2', '--', '--beam'];
    expect(currentFlags(args, () => {})).toEqual([
      'translate',
      'm',
      '--beam-size=4',
      '--beam-size=2',
      '--',
      '--beam',
    ]);
  });

  it('print nothing for a name that other tools use', () => {
    const notices: string[] = [];
    expect(currentFlags(['info', '--backend', 'dawn'], (line) => notices.push(line))).toEqual([
      'info',
      '--host',
      'dawn',
    ]);
    expect(notices).toEqual([]);
  });
});

it('an old flag works on the command line', async () => {
  const { status, stderr, stdout } = await heddle(['plan', '--preset', 'tiny', '--batch', '4']);
  expect(stderr).toBe('heddle: --batch is now --batch-size\n');
  expect(stdout).not.toBe('');
  expect(status).toBe(0);
});
