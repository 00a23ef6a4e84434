// A small part of npm run fuzz: all kinds of files, with fixed seeds.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeddleError } from '../../src/core/errors.ts';
import { damaged, tryCase } from './fuzz-case.ts';
import { targets } from './fuzz-targets.ts';

const all = await targets();

describe.each(all)('damage to $name', (target) => {
  it('reads the undamaged files', async () => {
    await target.read(target.files);
  });

  it('is read or throws a HeddleError', async () => {
    let rejected = 0;
    for (let seed = 0; seed < 30; seed++) rejected += Number(await tryCase(target, seed));
    expect(rejected).toBeGreaterThan(5);
  });
});

it('explains its options, and throws for an unknown one', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, 'run-fuzz.mjs'), ...args], { encoding: 'utf8' });
  const help = run('--help');
  expect([help.status, help.stderr]).toEqual([0, '']);
  for (const name of ['seconds', 'target', 'seed', 'count']) expect(help.stdout).toContain(`--${name} <`);
  for (const wrong of [
    ['--secs', '3'],
    ['--seconds', 'x'],
  ]) {
    const { status, stderr } = run(...wrong);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^fuzz: .*--sec.*\n[\s\S]*Usage: npm run fuzz/),
    ]);
    expect(stderr).not.toContain('    at ');
  }
});

it('makes the same damage for the same seed', () => {
  for (const target of all.slice(0, 3)) expect(damaged(target, 5)).toEqual(damaged(target, 5));
});

it('describes the contents of a file in one line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), (text) => {
      const { message } = new HeddleError(text);
      expect(message.length).toBeLessThan(6100);
      expect(/(?![\n\t])\p{Cc}/u.test(message)).toBe(false);
      if (text.length < 1000 && !/\p{Cc}/u.test(text)) expect(message).toBe(text);
    }),
    { numRuns: 20 },
  );
});
