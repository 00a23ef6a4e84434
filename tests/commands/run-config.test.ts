// Run settings in a YAML or JSON file, and command-line flags that override them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { overridden, readRunConfig, saveRunConfig } from '../../src/commands/run-config.ts';
import { addTrainFlags, givenSettings, type TrainFileOptions } from '../../src/commands/train-flags.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { type ExpectedError, errorAbout } from '../support/expect-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const files = nodeFiles();

/** The settings and flags of a command line with a file of this text. */
async function read(name: string, text: string, args: readonly string[] = []) {
  const path = join(folder, name);
  writeFileSync(path, text);
  const command = new Command().argument('[pairs...]');
  addTrainFlags(command);
  command.exitOverride().parse(['--config', path, ...args], { from: 'user' });
  const file = await readRunConfig(files, path, command);
  const settings = overridden(file.settings, givenSettings(command));
  return {
    command,
    settings,
    pairs: file.pairs,
    stages: file.stages,
    options: command.opts<TrainFileOptions>(),
  };
}

const yaml = `
train: [a.tsv, b.tsv]
dev: dev.tsv
learningRate: 0.002
batch-size: 16
epochs: 3
lora: { rank: 8, alpha: 16 }
model:
  dModel: 96
  tie: all
tune: false
memoryLimit: 512M
`;

it('reads every kind of field, in YAML and in JSON', async () => {
  const { settings, pairs, options } = await read('run.yaml', yaml);
  expect(settings).toEqual({
    learningRate: 0.002,
    batchSize: 16,
    epochs: 3,
    lora: { rank: 8, alpha: 16 },
    model: { dModel: 96, tie: 'all' },
  });
  expect(pairs).toEqual(['a.tsv', 'b.tsv']);
  expect(options).toMatchObject({ dev: ['dev.tsv'], tune: false, memoryLimit: 2 ** 29, sourceLocale: 'en' });
  const json = await read('run.json', '{ "steps": 7, "schedule": "cosine", "targetLocale": "de" }');
  expect(json.settings).toEqual({ steps: 7, schedule: 'cosine' });
  expect(json.options.targetLocale).toBe('de');
});

it('lets the command line override it', async () => {
  const args = [
    '--learning-rate',
    '0.1',
    '--steps',
    '9',
    '--max-tokens',
    '512',
    '--lora-rank',
    '2',
    '--set',
    'heads=2',
  ];
  const { settings, options } = await read('run.yaml', yaml, [...args, '--memory-limit', '1G']);
  expect(settings).toEqual({
    learningRate: 0.1,
    steps: 9,
    maxTokens: 512,
    lora: { rank: 2, alpha: 16 },
    model: { dModel: 96, tie: 'all', heads: 2 },
  });
  expect(options.memoryLimit).toBe(2 ** 30);
});

describe('names the field that is wrong:', () => {
  const wrong: [string, ExpectedError][] = [
    ['learnRate: 1', { area: expect.stringMatching(/\brun\.yaml$/), values: ['learnRate', 'learningRate'] }],
    [
      'learningRate: fast',
      { area: expect.stringMatching(/\brun\.yaml$/), options: ['learningRate'], values: ['"fast"', 0] },
    ],
    ['tune: maybe', { values: ['"maybe"'] }],
    ['host: moon', { values: ['moon', 'dawn'] }],
    ['pairs: 3', { values: ['3'] }],
    ['- a', { area: expect.stringMatching(/\brun\.yaml$/), values: ['for example "learningRate: 0.001"'] }],
    ['a: [', { area: expect.stringMatching(/\brun\.yaml$/) }],
    [
      'steps: 1\nepochs: 1',
      { area: expect.stringMatching(/\brun\.yaml$/), options: ['steps', 'epochs'], values: ['1'] },
    ],
  ];
  it.each(wrong)('%s', async (text, expected) => {
    await expect(read('run.yaml', text)).rejects.toThrow(errorAbout(expected));
  });
});

it.each(['saved.yaml', 'saved.json'])('writes %s, which gives the same run', async (name) => {
  const { command, settings, pairs } = await read('run.yaml', yaml.replace(/lora.*\n/, ''), ['--out', 'x']);
  const path = join(folder, name);
  const stages = [{ data: { 'a.tsv': 0.5, 'b.tsv': 0.5 }, steps: 100 }, { data: ['a.tsv'] }];
  await saveRunConfig(files, path, command, settings, 'pairs', { pairs, stages });
  const again = await read(name, readFileSync(path, 'utf8'));
  expect(again.stages).toEqual(stages);
  expect(again.settings).toMatchObject({ ...settings, optimizer: 'adamw' });
  expect(again.pairs).toEqual(pairs);
  expect(again.options).toMatchObject({ dev: ['dev.tsv'], tune: false, memoryLimit: 2 ** 29 });
  expect(again.options.out).toBeUndefined();
});
