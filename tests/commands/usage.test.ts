// Help, version and wrong usage of the command line.
import { describe, expect, it } from 'vitest';
import { version } from '../../package.json';
import { commandNames, commands as rows } from '../../src/commands/commands.ts';
import { heddle, isOneLine } from '../support/cli.ts';

/** Words of each command, also of the modes of others. */
const commands = commandNames.map((name) => {
  const { mode } = rows[name].place;
  return mode ? `${mode.of} ${mode.flag}` : name;
});

it('lists the commands by what they are for, and prints its version', async () => {
  const { status, stdout } = await heddle(['--help']);
  expect(status).toBe(0);
  const listed = commands.filter((name) => !name.includes(' '));
  expect(listed.length).toBeLessThan(25);
  for (const name of listed) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  expect(stdout.split('\n').length).toBeLessThan(50);
  expect((await heddle(['--version'])).stdout).toBe(`${version}\n`);
});

it('shows few flags of a training first, with the defaults at hand, and the others by topic', async () => {
  const help = async (...words: string[]) => (await heddle(['train', ...words])).stdout;
  const first = await help('--help');
  const flags = first.match(/^ {2}--[a-z-]+/gm) ?? [];
  expect(flags.length).toBeGreaterThan(20);
  expect(flags.length).toBeLessThan(30);
  expect(first).toContain('heddle train --help run | optimizer | model | data | all');
  expect(first).toMatch(/--learning-rate <rate>[\s\S]{0,160}\(default: 0\.003\)/);
  expect(await help('pairs.tsv', '--help')).toMatch(/--learning-rate <rate>[\s\S]{0,160}\(default: 0\.001\)/);
  expect(await help('pairs.tsv', '--init', 'ref', '-h')).toMatch(
    /--learning-rate <rate>[\s\S]{0,160}\(default: 0\.0002\)/,
  );
  const all = await help('--help', 'all');
  for (const topic of ['data', 'model', 'optimizer', 'run']) {
    const shown = await help('--help', topic);
    const own = shown.match(/^ {2}--[a-z-]+/gm) ?? [];
    expect(own.length, topic).toBeGreaterThan(5);
    for (const flag of own) expect(all).toContain(flag);
  }
  expect(all).toMatch(/Defaults by kind of training\n.*clips/);
  expect((await heddle(['help', 'train', 'data'])).stdout).toContain('--sampling-alpha');
});

it('runs a mode of a command by its flag, and by its old name', async () => {
  expect((await heddle(['plan', '--time', '--help'])).stdout).toContain('Usage: heddle plan --time');
  expect((await heddle(['profile', '--help'])).stdout).toContain('Usage: heddle plan --time');
  expect((await heddle(['tokenizer', '--decode', '--help'])).stdout).toContain('--ids');
});

it.each(commands)('explains %s', async (name) => {
  const { status, stdout } = await heddle([...name.split(' '), '--help', 'all']);
  expect(status).toBe(0);
  expect(stdout).toContain(`Usage: heddle ${name}`);
  expect(stdout).not.toContain('undefined');
  expect(stdout.includes('--adapter <')).toBe(stdout.includes('--host <'));
  if (stdout.includes('--json '))
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      '--json [file] print JSON instead of text; with a file, write the JSON to it and print the text',
    );
});

describe.each([
  ['an unknown command', ['trian'], /unknown command 'trian' .*train/],
  [
    'an unknown option',
    ['plan', '--batch-sise', '4'],
    /unknown option '--batch-sise' .*--batch-size.*; see heddle plan --help/,
  ],
  ['a missing argument', ['translate'], /missing required argument 'dir'/],
  ['an argument too many', ['info', 'x'], /too many arguments/],
  ['an option without its value', ['plan', '--batch-size'], /--batch-size <pairs>' argument missing/],
  [
    'a value that is not a number',
    ['plan', '--batch-size', 'many'],
    /--batch-size.*'many' is invalid.*whole number of at least 1/,
  ],
  ['a number out of range', ['train', '--dropout', '1'], /--dropout.*'1' is invalid.*at least 0 and below 1/],
  ['an infinite number', ['train', '--lr', 'Infinity'], /--lr.*invalid.*a number above 0/],
  [
    'a number of bytes that is none',
    ['train', '--memory-limit', '5X'],
    /--memory-limit.*for example 512M or 2G/,
  ],
  [
    'an unknown host',
    ['verify', '--host', 'moon', 'x'],
    /--host.*'moon' is invalid.*dawn, chrome, firefox, deno, cpu/,
  ],
  ['an unknown preset', ['plan', '--preset', 'huge'], /--preset.*tiny, small, mid, base, keras/],
  ['a setting without a value', ['plan', '--set', 'dModel'], /--set.*field=value/],
] as const)('%s', (_, args, message) => {
  it('is one line and a nonzero status', async () => {
    const { status, stdout, stderr } = await heddle(args);
    expect(stderr).toMatch(message);
    expect(isOneLine(stderr)).toBe(true);
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });
});

it('prints the stack of an error only if asked for', async () => {
  const args = ['plan', '--set', 'norm=none'];
  const quiet = await heddle(args);
  expect(quiet.stderr).toMatch(/^heddle: config: norm is "none", it must be one of post, pre\n$/);
  const loud = await heddle(args, { env: { HEDDLE_DEBUG: '1' } });
  expect(loud.stderr).toMatch(/^heddle: config: norm is "none".*\n.*\n +at .*/);
  expect(loud.status).toBe(1);
});
