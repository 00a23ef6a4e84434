// A model that heddle has trained and written as .bin translates in Marian's own engine as in heddle.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { random } from '../../../src/core/random.ts';
import { heddle, scratch } from '../../support/cli.ts';

const shared = '../shared/golden-marian';
const engine = 'bench/decode/node_modules/@browsermt/bergamot-translator';
/** Options of the engine; `factor`: that of decoder.yml. */
const optionsOf = (factor: number, precision = 'float32') =>
  [
    ...['beam-size: 1', 'normalize: 1', 'word-penalty: 0', `max-length-factor: ${factor}`, 'skip-cost: true'],
    ...[`gemm-precision: ${precision}`, 'cpu-threads: 0', 'max-length-break: 128', 'mini-batch-words: 1024'],
    ...['workspace: 64', 'alignment: soft', 'quiet: true', 'quiet-translation: true', ''],
  ].join('\n');

/** Translates a file with the engine: model, vocabularies of both sides, and a shortlist if there is one. */
const theirs = (options: string, texts: string, [model = '', source = '', target = '', ...lex]: string[]) =>
  execFileSync(
    'node',
    ['tests/support/bergamot.cjs', engine, options, model, source, target, texts, ...lex],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );

const run = async (...args: string[]) => {
  const ended = await heddle(args);
  expect(ended.status, ended.stderr).toBe(0);
  return ended.stdout;
};

it.skipIf(!existsSync(shared) || !existsSync(engine)).each([
  ['ssru-tied', 'vocab.spm', 'vocab.spm'],
  ['self-attention', 'vocab.spm', 'vocab.spm'],
  ['ssru-two-vocabs', 'srcvocab.spm', 'trgvocab.spm'],
])(
  '%s, 200 sentences (needs ../shared and the packages of bench/decode)',
  async (name, source, target) => {
    const at = (file: string) => join(scratch(), `${name}-${file}`);
    const r = random(7);
    const line = () => Array.from({ length: 1 + r.int(8) }, () => 2 + r.int(36));
    const lines = Array.from({ length: 200 }, line);
    writeFileSync(
      at('pairs.tsv'),
      lines.map((words) => `${words.join(' ')}\t${words.toReversed().join(' ')}\n`).join(''),
    );
    writeFileSync(at('texts.txt'), lines.map((words) => `${words.join(' ')}\n`).join(''));
    const training = ['--no-tune', '--steps', '30', '--batch-size', '16', '--max-length', '24'];
    await run('train', at('pairs.tsv'), '--init', `${shared}/${name}`, ...training, '--out', at('tuned'));
    await run('convert', at('tuned'), at('bin'), '--to', 'marian-bin');
    await run('translate', at('bin'), '--input', at('texts.txt'), '--output', at('own.txt'));
    const paths = ['model.bin', source, target].map((file) => join(at('bin'), file));
    const options = optionsOf(name === 'ssru-two-vocabs' ? 0.5 : 2);
    const found = theirs(options, at('texts.txt'), paths);
    expect(readFileSync(at('own.txt'), 'utf8').split('\n')).toEqual(found.split('\n'));
  },
  240_000,
);

it.skipIf(!existsSync(shared) || !existsSync(engine))(
  'int8 with measured multipliers and a shortlist, 200 sentences that the model knows (needs ../shared and the packages of bench/decode)',
  async () => {
    // Marian rounds the inputs of products to int8 too. A model that is sure of each token translates alike.
    const at = (file: string) => join(scratch(), `int8-${file}`);
    const r = random(11);
    const lines = Array.from({ length: 200 }, () =>
      Array.from({ length: 1 + r.int(5) }, () => 2 + r.int(36)).join(' '),
    );
    writeFileSync(at('pairs.tsv'), lines.map((line) => `${line}\t${line}\n`).join(''));
    writeFileSync(at('texts.txt'), lines.map((line) => `${line}\n`).join(''));
    const corpus = ['--dev', at('pairs.tsv'), '--test', at('pairs.tsv')];
    const size = ['--steps', '600', '--batch-size', '32', '--max-length', '24'];
    const rate = ['--learning-rate', '3e-3', '--schedule', 'cosine', '--no-tune'];
    const init = ['--init', `${shared}/ssru-int8`, '--out', at('tuned')];
    await run('train', at('pairs.tsv'), ...corpus, ...init, ...size, ...rate);
    const table = ['--pieces', at('tuned'), '--lexical-table', at('lex.s2t')];
    await run('align', at('pairs.tsv'), ...table, '--out', at('links.txt'));
    const measured = ['--calibration', at('texts.txt'), '--shortlist', at('lex.s2t')];
    await run('convert', at('tuned'), at('out'), '--to', 'firefox', '--language-pair', 'enes', ...measured);
    await run('translate', at('out'), '--input', at('texts.txt'), '--output', at('own.txt'));
    const own = readFileSync(at('own.txt'), 'utf8').split('\n');
    expect(own.slice(0, -1)).toEqual(lines);
    const vocab = join(at('out'), 'vocab.enes.spm');
    const files = [join(at('out'), 'model.enes.intgemm.alphas.bin'), vocab, vocab];
    const options = optionsOf(2, 'int8shiftAlphaAll');
    for (const shortlist of [[], [join(at('out'), 'lex.50.50.enes.s2t.bin')]])
      expect(theirs(options, at('texts.txt'), [...files, ...shortlist]).split('\n')).toEqual(own);
  },
  240_000,
);

it.skipIf(!existsSync(shared) || !existsSync(engine))(
  'a model that heddle trained from scratch, with the vocabulary of another (needs ../shared and the packages of bench/decode)',
  async () => {
    const at = (file: string) => join(scratch(), `scratch-${file}`);
    const r = random(12);
    const lines = Array.from({ length: 200 }, () =>
      Array.from({ length: 1 + r.int(5) }, () => 2 + r.int(36)).join(' '),
    );
    writeFileSync(at('pairs.tsv'), lines.map((line) => `${line}\t${line}\n`).join(''));
    writeFileSync(at('texts.txt'), lines.map((line) => `${line}\n`).join(''));
    const corpus = ['--dev', at('pairs.tsv'), '--test', at('pairs.tsv')];
    const sizes = ['dModel=64', 'feedForward=64', 'encoderLayers=1'].flatMap((size) => ['--set', size]);
    const steps = ['--steps', '300', '--batch-size', '32', '--learning-rate', '3e-3', '--no-tune'];
    const vocabulary = ['--tokenizer-file', `${shared}/ssru-int8/vocab.spm`, '--out', at('own')];
    await run(
      'train',
      at('pairs.tsv'),
      ...corpus,
      '--preset',
      'firefox-tiny',
      ...sizes,
      ...steps,
      ...vocabulary,
    );
    await run('convert', at('own'), at('bin'), '--to', 'marian-bin');
    await run('translate', at('bin'), '--input', at('texts.txt'), '--output', at('own.txt'));
    const paths = ['model.bin', 'vocab.spm', 'vocab.spm'].map((file) => join(at('bin'), file));
    const own = readFileSync(at('own.txt'), 'utf8').split('\n');
    expect(theirs(optionsOf(2), at('texts.txt'), paths).split('\n')).toEqual(own);
  },
  240_000,
);
