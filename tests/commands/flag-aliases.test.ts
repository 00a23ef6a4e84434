// Names of flags that other tools use.
import { describe, expect, it } from 'vitest';
import { flagAliases, withoutAliases } from '../../src/commands/flag-aliases.ts';
import { heddle } from '../support/cli.ts';

describe('aliases of flags', () => {
  it.each(Object.entries(flagAliases))('%s is %s', (alias, flag) =>
    expect(withoutAliases(['translate', alias, '4'])).toEqual(['translate', flag, '4']),
  );

  it('keep values after an equals sign, and arguments after --', () => {
    const args = ['translate', 'm', '--num-beams=4', '--beam-size=2', '--', '--num-beams'];
    expect(withoutAliases(args)).toEqual([
      'translate',
      'm',
      '--beam-size=4',
      '--beam-size=2',
      '--',
      '--num-beams',
    ]);
  });

  it('work on the command line', async () => {
    const { status, stderr } = await heddle(['translate', 'no-such-model', '--num-beams', '99']);
    expect(stderr).toMatch(/--beam-size/);
    expect(status).toBe(1);
  });
});
