// Every command at ten moments of its life, and without a reader: SIGINT ends it soon with status 130, a closed pipe
// with 141, and nothing is half-written.
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commandNames } from '../../src/commands/commands.ts';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';
import { type Hub, startHub } from '../files/hub/hub.ts';
import { heddleProcess, scratch, smallOnPairs, smallTraining } from '../support/cli.ts';
import { expectPipeStatus, type InterruptOptions, interruptEverywhere } from '../support/interrupts.ts';

const folder = () => join(scratch(), 'work');
/** Moments, and milliseconds that a command may take to end: a second, and more if other programs use the cores. */
const whole = () => ({ moments: 10, bound: 1500 * Math.max(1, (loadavg()[0] ?? 0) / cpus().length) });
const speech = resolve('../shared/golden-whisper/english-short-clip');

let hub: Hub;
beforeAll(async () => {
  mkdirSync(folder());
  const pairs = [...intlCorpus({ pairs: 5000 })];
  const lines = pairs.map(({ source, target }) => `${source}\t${target}\n`);
  writeFileSync(join(folder(), 'pairs.tsv'), lines.slice(0, 120).join(''));
  writeFileSync(join(folder(), 'many.tsv'), lines.join(''));
  writeFileSync(join(folder(), 'texts.txt'), pairs.map(({ source }) => `${source}\n`).join(''));
  writeFileSync(
    join(folder(), 'document.txt'),
    pairs
      .map(({ source }) => `${source}\n\n`)
      .slice(0, 100)
      .join(''),
  );
  writeFileSync(join(folder(), 'notes.md'), 'mine\n');
  writeFileSync(join(folder(), 'language.yaml'), 'languages: [en, es]\ndata: many.tsv\ndev: pairs.tsv\n');
  cpSync(resolve('tests/fixtures/golden/options-pre'), join(folder(), 'golden'), { recursive: true });
  const commands = [
    ['train', ...smallTraining, '--steps', '4', '--save-steps', '2', '--keep-last', '2', '--out', 'm'],
    ['pack', 'm', 'm.zip'],
    ['tokenizer', 'pairs.tsv', '--vocab-size', '400', '--out', 'pieces'],
  ];
  for (const args of commands) {
    const { status, stderr } = await heddleProcess(args, { cwd: folder() });
    expect(status, stderr).toBe(0);
  }
  const model = new Uint8Array(20_000_000);
  const text = (value: string) => new TextEncoder().encode(value);
  hub = await startHub({ 'config.json': text('{}'), 'vocab.json': text('{}'), 'model.safetensors': model });
});
afterAll(() => hub.close());

const small = ['--preset', 'tiny', '--vocab-size', '100', '--batch-size', '2'];
const training = ['train', ...smallTraining, '--steps', '20'];

/** Arguments of each command; a new command needs a row here. */
const cases: Readonly<Record<string, readonly (readonly string[])[]>> = {
  train: [
    [...training, '--save-steps', '3', '--keep-last', '2', '--out', 'new'],
    ['train', '--resume', '--out', 'm', '--steps', '20', '--save-steps', '3'],
    [...training, '--seed', '1,2', '--grid', 'learningRate=1e-3,3e-3', '--out', 'sweep'],
  ],
  translate: [
    ['translate', 'm', '--input', 'pairs.tsv', '--no-tune'],
    ['translate', 'm', 'document.txt', '--out', 'out.txt', '--no-tune'],
  ],
  transcribe: [['transcribe', speech, join(speech, 'audio-1.wav'), '--no-timestamps', '--temperature', '0']],
  serve: [['serve', 'en-es=m', '--port', '0', '--no-tune']],
  eval: [['eval', 'm', 'pairs.tsv', '--no-tune']],
  score: [['score', 'm', 'pairs.tsv', '--no-tune']],
  average: [['average', 'm.step-2', 'm.step-4', '--out', 'mean']],
  runs: [['runs', '.', '--report', 'runs.html']],
  verify: [['verify', 'golden']],
  convert: [
    ['convert', 'm', 'torch', '--to', 'pytorch'],
    ['convert', 'm', 'onnx', '--to', 'onnx'],
  ],
  clean: [['clean', 'many.tsv', '--out', 'clean.tsv', '--report', 'clean.html']],
  tokenizer: [
    ['tokenizer', 'many.tsv', '--out', 'new'],
    ['tokenizer', 'many.tsv', '--out', 'new', '--kind', 'bpe', '--threads', '0'],
  ],
  tokenize: [['tokenize', 'pieces.model', 'texts.txt']],
  align: [['align', 'many.tsv', '--out', 'links.txt']],
  backtranslate: [['backtranslate', 'm', 'texts.txt', '--out', 'bt.tsv', '--no-tune', '--verbose']],
  distill: [['distill', 'm', 'pairs.tsv', ...smallOnPairs, '--steps', '5', '--out', 'student']],
  // language-command.full.test.ts interrupts its steps.
  language: [['language', 'language.yaml', '--out', 'language', '--dry-run']],
  pack: [['pack', 'm', 'new.zip']],
  unpack: [['unpack', 'm.zip', 'unpacked']],
  pull: [['pull', 'me/it', '--out', 'pulled']],
  plan: [['plan', 'm']],
  profile: [['profile', ...small, '--runs', '1']],
  tune: [['tune', ...small]],
  bench: [['bench', '--small', '--quick', '--filter', 'softmax']],
  conformance: [['conformance']],
  info: [['info']],
};

it('has a row for each command', () => {
  expect(Object.keys(cases).sort()).toEqual([...commandNames].sort());
});

const rows = Object.values(cases)
  .flat()
  .map((args) => [args.slice(0, 3).join(' '), args] as const);

/** What a command needs: a hub, or a life, since a server does not end by itself. */
const optionsOf = ([name]: readonly string[]): Pick<InterruptOptions, 'env' | 'life'> => ({
  env: name === 'pull' ? { HF_ENDPOINT: hub.url } : {},
  life: name === 'serve' ? 3000 : undefined,
});

it.for(rows)('is interrupted at any moment: %s', async ([name, args], { skip }) => {
  skip(name.startsWith('transcribe') && !existsSync(speech), 'needs ../shared/golden-whisper');
  await interruptEverywhere(args, folder(), { ...whole(), ...optionsOf(args) });
});

it.for(rows)(
  'ends with 141 if nobody reads its output: %s',
  { timeout: 120_000 },
  async ([name, args], { skip }) => {
    skip(name.startsWith('transcribe') && !existsSync(speech), 'needs ../shared/golden-whisper');
    await expectPipeStatus(args, folder(), optionsOf(args));
  },
);
