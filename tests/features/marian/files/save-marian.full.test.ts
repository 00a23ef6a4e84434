// A model that heddle has trained and written as .bin translates in Marian's own engine as in heddle.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { bergamotEngine, bergamotLines } from '../../../support/bergamot.ts';
import { heddle, scratch } from '../../../support/cli.ts';

const shared = '../shared/golden-marian';
const run = async (...args: string[]) => {
  const ended = await heddle(args);
  expect(ended.status, ended.stderr).toBe(0);
  return ended.stdout;
};

it.skipIf(!existsSync(shared) || !bergamotEngine).each([
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
    await run('translate', at('bin'), '--input', at('texts.txt'), '--out', at('own.txt'));
    const inBin = (file: string) => join(at('bin'), file);
    const found = bergamotLines([inBin('model.bin'), inBin(source), inBin(target), at('texts.txt')], {
      lengthFactor: name === 'ssru-two-vocabs' ? 0.5 : 2,
    });
    expect(readFileSync(at('own.txt'), 'utf8').split('\n').slice(0, -1)).toEqual(found);
  },
  240_000,
);

it.skipIf(!existsSync(shared) || !bergamotEngine)(
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
    await run('translate', at('out'), '--input', at('texts.txt'), '--out', at('own.txt'));
    expect(readFileSync(at('own.txt'), 'utf8').split('\n').slice(0, -1)).toEqual(lines);
    const vocab = join(at('out'), 'vocab.enes.spm');
    const files = [join(at('out'), 'model.enes.intgemm.alphas.bin'), vocab, vocab, at('texts.txt')] as const;
    const lex = join(at('out'), 'lex.50.50.enes.s2t.bin');
    for (const given of [files, [...files, lex] as const])
      expect(bergamotLines(given, { precision: 'int8shiftAlphaAll' })).toEqual(lines);
  },
  240_000,
);

it.skipIf(!existsSync(shared) || !bergamotEngine)(
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
    await run('translate', at('bin'), '--input', at('texts.txt'), '--out', at('own.txt'));
    const vocab = join(at('bin'), 'vocab.spm');
    const own = readFileSync(at('own.txt'), 'utf8').split('\n').slice(0, -1);
    expect(bergamotLines([join(at('bin'), 'model.bin'), vocab, vocab, at('texts.txt')])).toEqual(own);
  },
  240_000,
);
