// `--json [file]`: the next word is the file only if it looks like one. An existing file that is not JSON is
// rejected.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { jsonFlags } from '../../src/commands/output.ts';
import { heddle } from '../support/cli.ts';
import { errorAbout } from '../support/expect-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-json-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('--json', () => {
  it.each(['out.json', 'my report.JSON', 'results/out', 'out.txt', 'C:\\out', '/dev/null'])(
    'takes the file %s',
    (name) => {
      expect(jsonFlags(['info', '--json', name, '--quiet'])).toEqual(['info', `--json=${name}`, '--quiet']);
    },
  );

  it.each(['a dog runs', 'Hello.', 'hello', 'and/or else', '', '-', folder])(
    'leaves the argument "%s"',
    (word) => {
      const after = word.startsWith('-') ? '--json' : '--json=';
      expect(jsonFlags(['translate', 'm', '--json', word])).toEqual(['translate', 'm', after, word]);
    },
  );

  it('takes any name after =, an option after it, and nothing after --', () => {
    for (const args of [
      ['info', '--json=out'],
      ['info', '--json', '--quiet'],
      ['info', '--json'],
      ['translate', 'm', '--', '--json', 'out.json'],
    ])
      expect(jsonFlags(args)).toEqual(args);
  });

  it('rejects an existing file that is not JSON', () => {
    const pairs = join(folder, 'pairs.tsv');
    writeFileSync(pairs, 'a\tb\n');
    expect(() => jsonFlags(['eval', 'm', '--json', pairs])).toThrow(
      errorAbout({ area: expect.stringMatching(/\bpairs\.tsv$/) }),
    );
  });
});

it('keeps an existing file, overwrites it with --force, and never a file that the command reads', async () => {
  const file = join(folder, 'kept.json');
  writeFileSync(file, 'mine');
  for (const flags of [['--json', file], [`--json=${file}`]]) {
    const { status, stderr } = await heddle(['plan', '--preset', 'tiny', ...flags]);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/ --json \S+: .*--force/)]);
  }
  const read = await heddle(['eval', 'model', file, '--json', file, '--force']);
  expect(read.stderr).toContain(` --json ${file}: `);
  expect(readFileSync(file, 'utf8')).toBe('mine');
  expect((await heddle(['plan', '--preset', 'tiny', '--json', file, '--force'])).status).toBe(0);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toHaveProperty('parameters');
});

it('passes the parsed flag to the command', async () => {
  const args = ['plan', '--preset', 'tiny'];
  const file = join(folder, 'plan');
  const written = await heddle([...args, `--json=${file}`]);
  expect(written).toMatchObject({ status: 0, stderr: '' });
  expect(written.stdout).toContain('parameters');
  const { status, stdout } = await heddle([...args, '--json']);
  expect(status).toBe(0);
  expect(stdout).toBe(readFileSync(file, 'utf8'));
  const wrong = await heddle(['info', '--json', 'a word']);
  expect(wrong.stderr).toMatch(/too many arguments/);
});
