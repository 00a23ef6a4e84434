// Other names of flags: those of other tools, and older ones of heddle's own.
import { describe, expect, it } from 'vitest';
import { flagAliases, withoutAliases } from '../../src/commands/flag-aliases.ts';
import { heddle } from '../support/cli.ts';

describe('aliases of flags', () => {
  it.each(Object.entries(flagAliases))('%s is %j', (alias, words) =>
    expect(withoutAliases(['translate', alias, '4'])).toEqual(['translate', ...words, '4']),
  );

  it('keep values after an equals sign, and arguments after --', () => {
    const args = ['translate', 'm', '--num-beams=4', '--beams=2', '--', '--num-beams'];
    expect(withoutAliases(args)).toEqual(['translate', 'm', '--beams=4', '--beams=2', '--', '--num-beams']);
  });

  it('work on the command line', async () => {
    const { status, stderr } = await heddle(['translate', 'no-such-model', '--beam-size', '99']);
    expect(stderr).toMatch(/--beams/);
    expect(status).toBe(1);
  });

  it.each(['translate', 'eval', 'serve', 'train'])('are not in the help of %s', async (command) => {
    const { stdout } = await heddle([command, '--help', 'all']);
    const words = stdout.split(/[\s,]+/);
    expect(words.filter((word) => word in flagAliases)).toEqual([]);
  });
});
