// --json means the same in every command: JSON instead of the text, or into a file beside the text.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { forTerminal, jsonArrayWriter, shownOnTerminal } from '../../src/commands/output.ts';
import { saveModelFolder } from '../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { heddle, scratch } from '../support/cli.ts';
import { letterModel } from '../support/saved-model.ts';

const at = (name: string) => join(scratch(), name);
beforeAll(async () => {
  for (const seed of [1, 2]) await saveModelFolder(nodeFiles(), at(`m${seed}`), letterModel(seed));
});

// In this order: some commands read what others have written.
describe.each<[string, () => string[], RegExp, object]>([
  [
    'average',
    () => [at('m1'), at('m2'), '--out', at('mean'), '--force'],
    /mean: mean of 2 models, [\d,]+ parameters\n$/,
    { models: 2, parameters: expect.any(Number) },
  ],
  [
    'convert',
    () => [at('m1'), at('bart'), '--to', 'pytorch', '--force'],
    /: pytorch, [\d,]+/,
    { to: 'pytorch' },
  ],
  [
    'pack',
    () => [at('m1'), at('m.zip'), '--force'],
    /^wrote .*m\.zip\n$/,
    { files: expect.arrayContaining([{ name: 'config.json', bytes: expect.any(Number) }]) },
  ],
  ['unpack', () => [at('m.zip'), at('back'), '--force'], /^wrote .*back\n$/, { files: expect.any(Array) }],
  [
    'plan',
    () => [at('m1'), '--batch-size', '2'],
    /parameters; 2 rows of 24 source[\s\S]*^peak[\s\S]*GPU memory of an update of 2 pairs\n/m,
    {
      shape: { batch: 2, source: 24, target: 24 },
      plans: [{ name: 'training', plan: { bytes: { peak: expect.any(Number) }, passes: expect.any(Array) } }],
      savings: expect.arrayContaining([{ flags: '--precision f16', bytes: expect.any(Number) }]),
    },
  ],
])('%s --json', (name, args, text, result) => {
  it('prints JSON instead of the text, and with a file both', async () => {
    const file = at(`${name}.json`);
    const both = await heddle([name, ...args(), '--json', file]);
    expect(both.stderr).toBe('');
    expect(both.stdout).toMatch(text);
    const json = await heddle([name, ...args(), '--json']);
    expect([json.status, json.stdout]).toEqual([0, readFileSync(file, 'utf8')]);
    expect(JSON.parse(json.stdout)).toMatchObject(result);
  });
});

it('writes an array element by element, and none for an error before the first', () => {
  const written = (complete: boolean, ...parts: unknown[][]) => {
    let text = '';
    const array = jsonArrayWriter((more) => {
      text += more;
    });
    for (const part of parts) array.add(part);
    array.close(complete);
    return text;
  };
  expect(JSON.parse(written(true, [1, { a: 2 }], [], [3]))).toEqual([1, { a: 2 }, 3]);
  expect(JSON.parse(written(false, [1]))).toEqual([1]);
  expect([written(true), written(false)]).toEqual(['[]\n', '']);
});

it('escapes control characters of names and texts before they reach a terminal', async () => {
  expect(forTerminal('a\u001b[31mb\u0007\u009b\tc\n')).toBe('a\\u001b[31mb\\u0007\\u009b\tc\n');
  const { stderr } = await heddle(['runs', at('no\u001b[31mrun')]);
  expect(stderr).toContain('no\\u001b[31mrun');
  expect(stderr).not.toContain('\u001b');
  // A name that would turn the rest of the line around.
  const turned = await heddle(['runs', at('no\u202erun\u2066')]);
  expect(turned.stderr).toContain('no\\u202erun\\u2066');
});

it('escapes data on a terminal only', () => {
  const { isTTY } = process.stdout;
  const text = 'a\u001b[31m \u202eb\u2066';
  try {
    process.stdout.isTTY = true;
    expect(shownOnTerminal(text)).toBe('a\\u001b[31m \\u202eb\\u2066');
    process.stdout.isTTY = false;
    expect(shownOnTerminal(text)).toBe(text);
  } finally {
    process.stdout.isTTY = isTTY;
  }
});
