// heddle train: the files that it writes, its errors, and its exit status.
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../src/files/safetensors.ts';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';
import { heddle, heddleProcess, isOneLine, scratch, smallOnPairs, smallTraining } from '../support/cli.ts';
import { itInFull } from '../support/in-full.ts';

const at = (name: string) => join(scratch(), name);
const out = () => at('models/m');

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(at(name), content);
  return at(name);
}

describe('a training run', () => {
  let stdout = '';
  beforeAll(async () => {
    const args = [
      'train',
      ...smallTraining,
      '--test-sentences',
      '4',
      '--steps',
      '6',
      '--out',
      `${out()}/`,
      '--json',
      at('run.json'),
    ];
    const ended = await heddle(args);
    expect(ended.status, ended.stderr).toBe(0);
    ({ stdout } = ended);
  });

  it('leaves a complete model folder and no temporary files', () => {
    const files = readdirSync(out());
    for (const name of ['config.json', 'model.safetensors', 'source-tokenizer.json', 'target-tokenizer.json'])
      expect(files).toContain(name);
    expect(readdirSync(at('models'))).toEqual(['m']);
    expect(JSON.parse(readFileSync(join(out(), 'config.json'), 'utf8')).model).toMatchObject({
      dModel: 16,
      heads: 2,
    });
    const weights = readSafetensors(readFileSync(join(out(), 'model.safetensors')));
    expect(weights['transformer.encoder.layers.0.self_attn.in_proj_weight']?.shape).toEqual([48, 16]);
  });

  it('prints sentences, the exact match, and the path of the model', () => {
    expect(stdout).toMatch(/4 test sentences/);
    expect(stdout).toMatch(/^exact match +0\.0 % of 4$/m);
    expect(stdout).toContain(`heddle translate ${out()}`);
  });

  it('gives all losses as JSON', () => {
    const { losses, steps, stopped } = JSON.parse(readFileSync(at('run.json'), 'utf8'));
    expect(losses).toHaveLength(6);
    expect(losses.every((x: number) => x > 0 && x < 10)).toBe(true);
    expect([steps, stopped]).toEqual([6, false]);
  });

  it('has the same losses with the same seed, and others with another', async () => {
    const losses = async (seed: string) => {
      const json = at(`seed-${seed}.json`);
      await heddle([
        'train',
        ...smallTraining,
        '--steps',
        '6',
        '--seed',
        seed,
        '--out',
        at('models/s'),
        '--force',
        '--json',
        json,
      ]);
      return JSON.parse(readFileSync(json, 'utf8')).losses;
    };
    const first = JSON.parse(readFileSync(at('run.json'), 'utf8')).losses;
    expect(await losses('1')).toEqual(first);
    expect(await losses('2')).not.toEqual(first);
  });

  it('follows --out if it is a link, and quotes the command that it prints', async () => {
    mkdirSync(at('my disk'));
    symlinkSync(at('my disk'), at('linked'));
    const { status, stdout, stderr } = await heddle([
      'train',
      ...smallTraining,
      '--steps',
      '2',
      '--out',
      at('linked'),
    ]);
    expect(status, stderr).toBe(0);
    expect(lstatSync(at('linked')).isSymbolicLink()).toBe(true);
    expect(readdirSync(at('my disk'))).toContain('model.safetensors');
    expect(stdout).toContain(`heddle translate '${at('my disk')}' "..."`);
  });

  it('prints only its result with --quiet, each event with --verbose, and JSON with --json', async () => {
    const args = ['train', ...smallTraining, '--steps', '2', '--force', '--out', at('said')];
    const quiet = await heddle([...args, '--quiet', '--json', '--save-config', at('said.yaml')]);
    expect([quiet.status, quiet.stderr]).toEqual([
      0,
      expect.not.stringMatching(/training pairs|steps of|1\/2/),
    ]);
    expect(JSON.parse(quiet.stdout).losses).toHaveLength(2);
    expect(readFileSync(at('said.yaml'), 'utf8')).toMatch(/^learningRate: 0\.003$/m);
    const again = ['--force', '--config', at('said.yaml'), '--verbose', '--out', at('said')];
    const verbose = await heddle(['train', ...again, '--json', at('said.json')]);
    expect(verbose.stderr).toMatch(/^\d+\.\d{3} s {2}step {2}\{"step":2,/m);
    expect(JSON.parse(readFileSync(at('said.json'), 'utf8')).losses).toEqual(JSON.parse(quiet.stdout).losses);
    const log = readFileSync(join(at('said'), 'log.jsonl'), 'utf8').split('\n')[0] as string;
    expect(JSON.parse(log).arguments).toMatchObject({ learningRate: 0.003, steps: 2, batchSize: 8 });
  });

  it('replaces a run with --force, with its OUT.step-*, and average does not mix runs', async () => {
    const args = ['train', ...smallTraining, '--save-steps', '2', '--keep-last', '2', '--out', at('kl')];
    const steps = () => readdirSync(scratch()).filter((name) => name.startsWith('kl.step-'));
    expect((await heddle([...args, '--steps', '6'])).status).toBe(0);
    expect(steps().sort()).toEqual(['kl.step-4', 'kl.step-6']);
    cpSync(at('kl.step-6'), at('old'), { recursive: true });
    const again = await heddle([...args, '--steps', '4', '--learning-rate', '0.002', '--force']);
    expect(again.status, again.stderr).toBe(0);
    expect(steps().sort()).toEqual(['kl.step-2', 'kl.step-4']);
    const average = (...flags: string[]) =>
      heddle(['average', at('kl.step-4'), at('old'), '--out', at('mean'), ...flags]);
    const refused = await average();
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/is a checkpoint of another training run than .*; --mixed averages them/),
    ]);
    expect((await average('--mixed')).status).toBe(0);
  });

  it('is rejected for a folder that another training writes', async () => {
    const args = ['train', ...smallTraining, '--out', at('busy'), '--steps'];
    let second: ReturnType<typeof heddle> | undefined;
    const first = heddleProcess([...args, '100000'], {
      onStart(child) {
        child.stderr?.on('data', (chunk: Buffer) => {
          if (!/training on/.test(String(chunk))) return; // it has the folder by then
          second ??= heddle([...args, '2', '--force']).finally(() => child.kill('SIGINT'));
        });
      },
    });
    expect((await first).status).toBe(130);
    const { status, stderr } = (await second) as Awaited<typeof first>;
    expect([status, isOneLine(stderr)]).toEqual([1, true]);
    expect(stderr).toMatch(/busy: .*process \d+ on /);
  });

  it('does not replace a model without --force', async () => {
    const again = ['train', ...smallTraining, '--steps', '2', '--out', out()];
    const before = readFileSync(join(out(), 'model.safetensors'));
    const rejected = await heddle(again);
    expect(rejected.stderr).toMatch(/a model exists; --resume resumes it, --force replaces it/);
    expect([rejected.status, isOneLine(rejected.stderr)]).toEqual([1, true]);
    expect(readFileSync(join(out(), 'model.safetensors'))).toEqual(before);
  });
});

describe('prints one line, before anything is trained, that', () => {
  const rejected: [string, () => string[], RegExp][] = [
    [
      '--pairs is for the built-in corpus',
      () => [file('two.tsv', 'a\tb\n')],
      /train: --pairs is only for the built-in corpus; omit it, or omit .*two\.tsv/,
    ],
    ['a corpus is not there', () => [at('none.tsv')], /none\.tsv: /],
    ['a corpus is empty', () => [file('empty.tsv', '')], /empty\.tsv: the file is empty/],
    [
      'a corpus is not UTF-8',
      () => [file('latin.tsv', Buffer.from('a\tb\nni\xf1o\tchild\n', 'latin1'))],
      /latin\.tsv: line 2 is not UTF-8/,
    ],
    [
      'a corpus has no tab',
      () => [file('plain.tsv', 'one line\nand another\n')],
      /plain\.tsv: no line has a tab/,
    ],
    ['a corpus is a folder', () => [scratch()], /cannot read: it is a folder/],
    [
      'all pairs are too long',
      () => [file('long.tsv', `${'many words '.repeat(40)}\tmuchas\n`.repeat(40)), '--tokenizer', 'word'],
      /no pair is left.*longer than 40/,
    ],
    [
      'a locale is unknown',
      () => ['--target-locale', 'qq-notalocale!'],
      /intl: 'qq-notalocale!' is not a locale; write one like 'en'/,
    ],
    [
      'a field of the model is wrong',
      () => ['--set', 'heads=3'],
      /config: heads is 3, it must be a divisor of dModel 16/,
    ],
    ['a field of the model is unknown', () => ['--set', 'depth=3'], /config: there is no field depth/],
    ['the model does not fit', () => ['--memory-limit', '100K'], /100\.0 KiB \(--memory-limit/],
    ['there is no adapter', () => [], /no WebGPU adapter.*install/],
    [
      'steps are fewer than the warm-up',
      () => ['--schedule', 'linear', '--warmup-steps', '50'],
      /schedule: --warmup-steps/,
    ],
    ['there are two corpora', () => [file('two.tsv', 'a\tb\n'), '--corpus', 'intl'], /not both/],
  ];
  it.each(rejected)('%s', async (what, args, message) => {
    const folder = at('models/rejected');
    const env = { VK_DRIVER_FILES: '/nonexistent' };
    const own = args();
    const small = own[0]?.startsWith('-') || what.startsWith('--pairs') ? smallTraining : smallOnPairs;
    const words = ['train', ...small, '--steps', '2', '--out', folder, ...own];
    const { status, stderr } = await (what === 'there is no adapter'
      ? heddleProcess(words, { env })
      : heddle(words));
    const errors = stderr.split('\n').filter((line) => line.startsWith('heddle:'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(status).toBe(1);
    expect(existsSync(folder)).toBe(false);
    expect(existsSync(`${folder}.partial`)).toBe(false);
  });

  it.each([
    [
      'is in use',
      () => {
        mkdirSync(at('full'), { recursive: true });
        file('full/mine.txt', 'mine');
        return at('full');
      },
      /contains something that is not heddle's \(mine\.txt\); use another folder/,
    ],
    ['is a file', () => file('a-file', 'mine'), /it is a file, not a folder/],
    ['is a file of weights', () => join(scratch(), 'new.safetensors'), /not a file of weights/],
    ['is the working directory', () => '.', /contains something that is not heddle's .*and \d+ more/],
    [
      'cannot be created',
      () => join(file('blocker', ''), 'm'),
      /--out .*: cannot write: a part of the path is a file/,
    ],
  ])('the folder %s', async (_, folder, message) => {
    const { status, stderr } = await heddle([
      'train',
      ...smallTraining,
      '--steps',
      '2',
      '--force',
      '--out',
      folder(),
    ]);
    expect(stderr).toMatch(message);
    expect([status, isOneLine(stderr)]).toEqual([1, true]);
  });
});

describe('Ctrl-C', () => {
  it('leaves no files before the first step', async () => {
    const folder = at('models/early');
    const { status, stdout, stderr } = await heddleProcess(
      ['train', ...smallTraining, '--steps', '9', '--out', folder],
      {
        onStart: (child) =>
          child.stderr?.on('data', (chunk: Buffer) => {
            if (/training pairs/.test(String(chunk))) child.kill('SIGINT');
          }),
      },
    );
    expect(stderr).toMatch(/^heddle: train: stopped before the first step; nothing was saved$/m);
    expect([status, stdout, existsSync(folder)]).toEqual([130, '', false]);
  });

  itInFull('ends the process at once the second time', async () => {
    const folder = at('models/twice');
    let first = 0;
    // Steps of several seconds, so that the first Ctrl-C is still waiting when the second comes.
    const slow = [
      '--no-tune',
      '--preset',
      'mid',
      '--pairs',
      '500',
      '--batch-size',
      '128',
      '--buckets',
      '1',
      '--test-sentences',
      '0',
    ];
    const { status, stdout } = await heddleProcess(['train', ...slow, '--steps', '99', '--out', folder], {
      onStart: (child) =>
        child.stderr?.on('data', (chunk: Buffer) => {
          if (/training on/.test(String(chunk)))
            setTimeout(() => {
              first = performance.now();
              child.kill('SIGINT');
            }, 2000);
          if (/press Ctrl-C again/.test(String(chunk))) child.kill('SIGINT');
        }),
    });
    expect(performance.now() - first).toBeLessThan(2000);
    expect([status, stdout, existsSync(folder)]).toEqual([130, '', false]);
  });

  it('ends the training after the step and saves', async () => {
    const folder = at('models/stopped');
    const { status, stdout, stderr } = await heddleProcess(
      ['train', ...smallTraining, '--steps', '100000', '--out', folder],
      {
        onStart(child) {
          let seen = '';
          let asked = false;
          child.stderr?.on('data', (chunk: Buffer) => {
            seen += chunk;
            // After its first steps, and once: a second Ctrl-C would end the process at once.
            if (asked || !/train \d+\/|dev after/.test(seen)) return;
            asked = true;
            child.kill('SIGINT');
          });
        },
      },
    );
    expect(stderr).toContain('stopping after this step');
    expect(stdout).toMatch(/dispatches per step; stopped/);
    expect(status).toBe(130);
    expect(existsSync(join(folder, 'model.safetensors'))).toBe(true);
    const translated = await heddle(['translate', folder, '--no-tune', 'Tuesday']);
    expect(translated.status).toBe(0);
  });
});

it('counts and names the bad lines of a corpus, and trains on the others', async () => {
  const lines = intlCorpus({ pairs: 100 }).map(({ source, target }) => `${source}\t${target}\tmore`);
  lines.splice(3, 0, 'no tab here', '\tno source');
  const tsv = file('mixed.tsv', lines.join('\r\n'));
  const { status, stderr } = await heddle([
    'train',
    tsv,
    ...smallOnPairs,
    '--tokenizer',
    'char',
    '--steps',
    '2',
    '--out',
    at('models/mixed'),
  ]);
  expect(stderr).toMatch(/mixed\.tsv: 2 bad lines: 4 \(no tab\), 5 \(empty source\)/);
  expect(status, stderr).toBe(0);
});
