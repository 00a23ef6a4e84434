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
const optionsOf = (factor: number) =>
  [
    ...['beam-size: 1', 'normalize: 1', 'word-penalty: 0', `max-length-factor: ${factor}`, 'skip-cost: true'],
    ...['gemm-precision: float32', 'cpu-threads: 0', 'max-length-break: 128', 'mini-batch-words: 1024'],
    ...['workspace: 64', 'alignment: soft', 'quiet: true', 'quiet-translation: true', ''],
  ].join('\n');

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
    const run = async (...args: string[]) => {
      const ended = await heddle(args);
      expect(ended.status, ended.stderr).toBe(0);
      return ended.stdout;
    };
    const training = ['--no-tune', '--steps', '30', '--batch-size', '16', '--max-length', '24'];
    await run('train', at('pairs.tsv'), '--init', `${shared}/${name}`, ...training, '--out', at('tuned'));
    await run('convert', at('tuned'), at('bin'), '--to', 'marian-bin');
    await run('translate', at('bin'), '--input', at('texts.txt'), '--output', at('own.txt'));
    const paths = ['model.bin', source, target].map((file) => join(at('bin'), file));
    const theirs = execFileSync(
      'node',
      [
        'tests/support/bergamot.cjs',
        engine,
        optionsOf(name === 'ssru-two-vocabs' ? 0.5 : 2),
        ...paths,
        at('texts.txt'),
      ],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    expect(readFileSync(at('own.txt'), 'utf8').split('\n')).toEqual(theirs.split('\n'));
  },
  240_000,
);
