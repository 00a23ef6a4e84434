// SIGINT to every command at ten moments of its life: status 130 soon, and nothing half-written.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';
import { heddleProcess, scratch, smallOnPairs, smallTraining } from '../support/cli.ts';
import { interruptEverywhere } from '../support/interrupts.ts';

const folder = () => join(scratch(), 'work');
const moments = 10;

beforeAll(async () => {
  mkdirSync(folder());
  const lines = intlCorpus({ pairs: 120 }).map(({ source, target }) => `${source}\t${target}\n`);
  writeFileSync(join(folder(), 'pairs.tsv'), lines.join(''));
  writeFileSync(join(folder(), 'notes.md'), 'mine\n');
  const commands = [
    ['train', ...smallTraining, '--steps', '4', '--save-steps', '2', '--keep-last', '2', '--out', 'm'],
    ['pack', 'm', 'm.zip'],
  ];
  for (const args of commands) {
    const { status, stderr } = await heddleProcess(args, { cwd: folder() });
    expect(status, stderr).toBe(0);
  }
});

const small = ['--preset', 'tiny', '--vocab-size', '100', '--batch-size', '2'];

it.each([
  ['train', ...smallTraining, '--steps', '20', '--save-steps', '3', '--keep-last', '2', '--out', 'new'],
  ['train', '--resume', '--out', 'm', '--steps', '20', '--save-steps', '3'],
  ['translate', 'm', '--input', 'pairs.tsv', '--output', 'out.txt', '--no-tune'],
  ['eval', 'm', 'pairs.tsv', '--no-tune'],
  ['score', 'm', 'pairs.tsv', '--no-tune'],
  ['average', 'm.step-2', 'm.step-4', '--out', 'mean'],
  ['runs', '.'],
  ['convert', 'm', 'torch', '--to', 'pytorch'],
  ['convert', 'm', 'onnx', '--to', 'onnx'],
  ['distill', 'm', 'pairs.tsv', ...smallOnPairs, '--steps', '5', '--out', 'student'],
  ['pack', 'm', 'new.zip'],
  ['unpack', 'm.zip', 'unpacked'],
  ['plan', 'm'],
  ['profile', ...small, '--runs', '1'],
  ['tune', ...small],
  ['bench', '--small', '--quick', '--filter', 'softmax'],
  ['conformance'],
  ['info'],
])(
  'is interrupted at any moment: %s %s %s',
  async (...args: string[]) => {
    await interruptEverywhere(args, folder(), moments);
  },
  600_000,
);
