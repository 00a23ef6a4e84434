// Help, version and wrong usage of the command line.
import { describe, expect, it } from 'vitest';
import { version } from '../../package.json';
import { heddle, isOneLine } from '../support/cli.ts';

const commands = [
  'train',
  'translate',
  'eval',
  'score',
  'average',
  'runs',
  'verify',
  'convert',
  'distill',
  'pack',
  'unpack',
  'pull',
  'plan',
  'profile',
  'tune',
  'bench',
  'conformance',
  'info',
];

it('lists the commands, and prints its version', async () => {
  const { status, stdout } = await heddle(['--help']);
  expect(status).toBe(0);
  for (const name of commands) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  expect((await heddle(['--version'])).stdout).toBe(`${version}\n`);
});

it.each(commands)('explains %s', async (name) => {
  const { status, stdout } = await heddle([name, '--help']);
  expect(status).toBe(0);
  expect(stdout).toContain(`Usage: heddle ${name}`);
  expect(stdout).not.toContain('undefined');
  expect(stdout.includes('--adapter <')).toBe(stdout.includes('--host <'));
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
