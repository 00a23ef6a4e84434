// heddle score: its lines, and the same as JSON.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { saveModelFolder } from '../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { heddle, scratch } from '../support/cli.ts';
import { letterModel } from '../support/saved-model.ts';

it('prints a line for each pair, or JSON with --json, and into a file beside the text', async () => {
  const at = (name: string) => join(scratch(), name);
  await saveModelFolder(nodeFiles(), at('model'), letterModel());
  writeFileSync(at('pairs.tsv'), `bad\tdab\n${'abc'.repeat(9)}\ta\n`);
  const run = (...args: string[]) =>
    heddle(['score', at('model'), at('pairs.tsv'), '--host', 'cpu', '--tokens', ...args]);
  const [text, json, both] = [await run(), await run('--json'), await run('--json', at('scores.json'))];
  expect([text.status, json.status, both.status], text.stderr + json.stderr + both.stderr).toEqual([0, 0, 0]);
  const scored = JSON.parse(json.stdout);
  expect(scored).toMatchObject([{ source: 'bad', target: 'dab' }, { target: 'a' }]);
  expect(scored[1]).not.toHaveProperty('logProb');
  const [first = '', second = ''] = text.stdout.split('\n');
  const [logProb, count, source, target, tokens = ''] = first.split('\t');
  expect([logProb, count, source, target]).toEqual([scored[0].logProb.toFixed(4), '4', 'bad', 'dab']);
  expect(
    JSON.parse(tokens)
      .map(([token]: [string]) => token)
      .join(''),
  ).toBe('dab[end]');
  expect(second.split('\t').slice(0, 2)).toEqual(['-', '0']);
  expect(both.stdout).toBe(text.stdout);
  expect(readFileSync(at('scores.json'), 'utf8')).toBe(json.stdout);
});

it('keeps the pairs with the smallest dual conditional cross-entropy', async () => {
  const at = (name: string) => join(scratch(), name);
  await saveModelFolder(nodeFiles(), at('both'), letterModel());
  writeFileSync(at('dual.tsv'), 'bad\tdab\nfed\tabcdef\ncab\tbac\nabcabcabcabcabcabcabcabcabc\ta\n');
  const run = (...args: string[]) =>
    heddle(['score', at('both'), at('dual.tsv'), '--backward', at('both'), '--host', 'cpu', ...args]);
  const lines = (await run()).stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  expect(lines.map(([value]) => Number.isFinite(Number(value)))).toEqual([true, true, true, false]);
  const best = [...lines].slice(0, 3).sort((a, b) => Number(a[0]) - Number(b[0]))[0];
  const clean = (...args: string[]) => {
    const models = ['--model', at('both'), '--backward', at('both'), '--host', 'cpu', '--rule', 'letters=0'];
    return heddle(['clean', at('dual.tsv'), ...models, '--threads', '0', ...args]);
  };
  const cleaned = await clean('--out', at('kept.tsv'), '--keep', '0.25', '--rule', 'length-ratio=0');
  expect(cleaned.stdout, cleaned.stderr).toContain('1 of 4 pairs kept');
  expect(readFileSync(at('kept.tsv'), 'utf8')).toBe(`${best?.[3]}\t${best?.[4]}\n`);
  expect(existsSync(at('kept.tsv.rules.tsv'))).toBe(false);
  expect((await clean('--out', at('no.tsv'))).stderr).toMatch(/--model needs --keep or --max-entropy/);
  // In a pipe: the pairs are on stdout, what the command says is on stderr.
  const piped = await clean('--out', '-', '--max-entropy', '100', '--rule', 'length-ratio=0');
  expect(piped.stdout.split('\n').sort()).toEqual(['', 'bad\tdab', 'cab\tbac', 'fed\tabcdef']);
  expect(piped.stderr).toMatch(/stdout: 3 of 4 pairs kept/);
});
