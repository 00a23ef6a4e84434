// Training and translating inside headless Chrome with the command line.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { heddle, scratch, smallOnPairs, smallTraining } from '../support/cli.ts';

it("trains in Chrome with the losses of Dawn, and either translates with the other's model", async () => {
  const at = (name: string) => join(scratch(), name);
  const train = async (host: string) => {
    const args = [
      'train',
      ...smallTraining,
      '--steps',
      '20',
      '--schedule',
      'constant',
      '--lr',
      '0.01',
      '--host',
      host,
    ];
    const ended = await heddle([...args, '--out', at(host), '--json', at(`${host}.json`)]);
    expect(ended.status, ended.stderr).toBe(0);
    return JSON.parse(readFileSync(at(`${host}.json`), 'utf8')).losses as number[];
  };
  const dawn = await train('dawn');
  const chrome = await train('chrome');
  expect(chrome).toHaveLength(20);
  for (const [step, loss] of dawn.entries())
    expect(Math.abs((chrome[step] as number) / loss - 1)).toBeLessThan(1e-3);
  expect(dawn[19]).toBeLessThan((dawn[0] as number) - 0.3); // else the losses say little
  expect(readdirSync(at('chrome')).sort()).toEqual(readdirSync(at('dawn')).sort());
  const translate = async (folder: string, host: string) =>
    (
      await heddle([
        'translate',
        at(folder),
        '--host',
        host,
        '--no-tune',
        '--max-new-tokens',
        '6',
        'Tuesday',
        'Peru',
      ])
    ).stdout;
  expect(await translate('dawn', 'chrome')).toBe(await translate('dawn', 'dawn'));
  expect(await translate('chrome', 'chrome')).toBe(await translate('chrome', 'dawn'));
});

it('lends the tokenizer files of a training to the page', async () => {
  const at = (name: string) => join(scratch(), name);
  const pairs = Array.from({ length: 60 }, (_, i) => `number ${i} of sixty\tnumero ${i} de sesenta\n`);
  writeFileSync(at('pairs.tsv'), pairs.join(''));
  const made = await heddle(['tokenizer', at('pairs.tsv'), '--vocab-size', '60', '--out', at('pieces')]);
  expect(made.status, made.stderr).toBe(0);
  const args = [
    'train',
    at('pairs.tsv'),
    ...smallOnPairs,
    '--steps',
    '2',
    '--tokenizer-file',
    at('pieces.model'),
  ];
  const flags = args.filter((arg, i) => arg !== '--vocab-size' && args[i - 1] !== '--vocab-size');
  const losses = async (host: string) => {
    const json = at(`lent-${host}.json`);
    const ended = await heddle([...flags, '--host', host, '--out', at(`lent-${host}`), '--json', json]);
    expect(ended.status, ended.stderr).toBe(0);
    return JSON.parse(readFileSync(json, 'utf8')).losses as number[];
  };
  const [dawn, chrome] = [await losses('dawn'), await losses('chrome')];
  for (const [step, loss] of dawn.entries())
    expect(Math.abs((chrome[step] as number) / loss - 1)).toBeLessThan(1e-3);
});
