// heddle backtranslate: a line for each text, and continuation after the last complete line.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { saveModelFolder } from '../../../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { heddle, scratch } from '../../../support/cli.ts';
import { letterModel } from '../../../support/saved-model.ts';

it('writes a pair for each line, and continues an unfinished run', async () => {
  const at = (name: string) => join(scratch(), name);
  await saveModelFolder(nodeFiles(), at('back'), letterModel());
  const lines = ['bad', 'dab', '', 'abc'.repeat(9), 'c\tab', 'fed']; // a tab is not a column
  writeFileSync(at('mono.txt'), lines.map((line) => `${line}\n`).join(''));
  const run = (...args: string[]) =>
    heddle(['backtranslate', at('back'), at('mono.txt'), '--out', at('bt.tsv'), '--host', 'cpu', ...args]);
  const first = await run();
  expect([first.status, first.stderr]).toEqual([0, expect.any(String)]);
  const whole = readFileSync(at('bt.tsv'), 'utf8');
  const pairs = whole
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  expect(pairs.map(([, ...target]) => target)).toEqual(lines.map((line) => [line.replace('\t', ' ')]));
  for (const [i, [source = '']] of pairs.entries())
    expect(source).toMatch(i === 2 || i === 3 ? /^$/ : /^(<BT> .+)?$/);
  expect((await run()).stderr).toMatch(/this file exists; --force overwrites it/);
  // A killed run: three lines and a part of the fourth.
  const facts = JSON.stringify([at('back'), [at('mono.txt')], '<BT>', {}]);
  writeFileSync(at('bt.tsv.unfinished'), facts);
  writeFileSync(at('bt.tsv'), `${whole.split('\n').slice(0, 3).join('\n')}\n\tab`);
  const second = await run();
  expect([second.status, second.stderr]).toEqual([0, expect.stringContaining('continuing after 3 lines')]);
  expect(readFileSync(at('bt.tsv'), 'utf8')).toBe(whole);
  expect(existsSync(at('bt.tsv.unfinished'))).toBe(false);
  writeFileSync(at('bt.tsv.unfinished'), '["other"]');
  expect((await run()).stderr).toMatch(/an unfinished run with another model/);
  writeFileSync(at('bt.tsv.unfinished'), 'my notes');
  expect((await run('--force')).stderr).toMatch(/bt\.tsv\.unfinished: heddle did not write this file/);
  expect(readFileSync(at('bt.tsv.unfinished'), 'utf8')).toBe('my notes');
});
