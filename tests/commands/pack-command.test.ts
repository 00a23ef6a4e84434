// Models as one file on the command line: train into it, translate from it, resume in it, pack and unpack it.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { unzipModel } from '../../src/files/model-archives.ts';
import { heddle, isOneLine, scratch, smallOnPairs, smallTraining } from '../support/cli.ts';

const at = (name: string) => join(scratch(), name);
const translate = (model: string, ...texts: string[]) =>
  heddle(['translate', model, '--host', 'cpu', ...texts]);
const train = (...args: string[]) => heddle(['train', ...smallTraining, ...args]);

it('trains into an archive, resumes from it, and translates from it as from the folder', async () => {
  expect((await train('--steps', '2', '--out', at('m.zip'))).status).toBe(0);
  const { status, stderr } = await train('--resume', '--steps', '3', '--out', at('m.zip'));
  expect([status, stderr]).toEqual([0, expect.stringContaining('resumed at step 2')]);
  expect(readFileSync(at('m.zip')).subarray(0, 2).toString()).toBe('PK');
  expect((await heddle(['unpack', at('m.zip'), at('m')])).stdout).toContain(`wrote ${at('m')}`);
  expect(readdirSync(at('m')).sort()).toEqual(
    expect.arrayContaining([
      'config.json',
      'log.jsonl',
      'model.safetensors',
      'optimizer.safetensors',
      'state.json',
    ]),
  );
  const [zipped, plain] = await Promise.all(
    [at('m.zip'), at('m')].map((m) => translate(m, 'seven', 'May 3')),
  );
  expect(zipped?.status).toBe(0);
  expect(zipped?.stdout).toBe(plain?.stdout);
  expect((await heddle(['pack', at('m'), at('again.zip')])).status).toBe(0);
  expect((await heddle(['unpack', at('again.zip'), at('back')])).status).toBe(0);
  expect(readFileSync(join(at('back'), 'model.safetensors'))).toEqual(
    readFileSync(join(at('m'), 'model.safetensors')),
  );
  expect(readdirSync(at('back')).sort()).toEqual(readdirSync(at('m')).sort());
});

it('packs only the weights on request, and never an absolute path', async () => {
  const pairs = join(scratch(), 'secret-place', 'pairs.tsv');
  mkdirSync(join(scratch(), 'secret-place'));
  const lines = Array.from({ length: 60 }, (_, i) => `a ${i}\tb ${i}`).join('\n');
  writeFileSync(pairs, lines);
  const out = at('secret-place/p');
  expect(
    (await heddle(['train', ...smallOnPairs, pairs, '--tokenizer', 'word', '--steps', '2', '--out', out]))
      .stderr,
  ).not.toContain('heddle:');
  const files = async (...args: string[]) => {
    expect((await heddle(['pack', out, at('p.zip'), '--force', ...args])).status).toBe(0);
    return unzipModel(readFileSync(at('p.zip')), 'p.zip');
  };
  const whole = await files();
  // The token ids stay here: they are of use only for a resumed run in this folder.
  const kept = readdirSync(out).filter((name) => name !== 'tokens.cache');
  expect(Object.keys(whole).sort()).toEqual(kept.sort());
  for (const [name, bytes] of Object.entries(whole))
    expect(Buffer.from(bytes).includes('secret-place'), name).toBe(false);
  expect(JSON.parse(Buffer.from(whole['state.json'] ?? []).toString()).arguments.corpus).toMatchObject({
    train: { files: ['pairs.tsv'] },
  });
  const light = Object.keys(await files('--weights-only')).sort();
  expect(light).toEqual([
    'config.json',
    'heddle-manifest.json',
    'model.safetensors',
    'source-tokenizer.json',
    'target-tokenizer.json',
  ]);
  expect((await translate(at('p.zip'), 'a 3')).status).toBe(0);
});

it('packs a folder of Hugging Face too, as the page takes it', async () => {
  const folder = 'tests/fixtures/hf/bart';
  expect((await heddle(['pack', folder, at('bart.zip')])).stdout).toContain(`wrote ${at('bart.zip')}`);
  const parts = await unzipModel(readFileSync(at('bart.zip')), 'bart.zip');
  expect(
    Buffer.compare(parts['model.safetensors'] ?? Buffer.of(), readFileSync(`${folder}/model.safetensors`)),
  ).toBe(0);
});

it('prints one line for a folder that it cannot pack or a file that it would overwrite', async () => {
  const cases: [string[], RegExp][] = [
    [['pack', at('none'), at('x.zip')], /none: /],
    [['pack', at('m'), at('x.tar')], /x\.tar: .*\.zip/],
    [['unpack', at('m'), at('x')], /m: .*\.zip/],
    [['pack', at('m'), at('m.zip')], /m\.zip: .*--force/],
    [['pack', at('flipped'), at('x.zip')], /flipped\/model\.safetensors: SHA-256 differs/],
    [['pack', at('mine'), at('x.zip')], /mine\/config\.json: not JSON in UTF-8; the file is damaged/],
    [['unpack', at('m.zip'), at('mine')], /mine: /],
    [['unpack', at('m.zip'), at('mine'), '--force'], /mine: .*config\.json/],
  ];
  mkdirSync(at('mine'));
  cpSync(at('m'), at('flipped'), { recursive: true });
  const weights = readFileSync(at('flipped/model.safetensors'));
  weights[weights.length >> 1] = (weights[weights.length >> 1] as number) ^ 1;
  writeFileSync(at('flipped/model.safetensors'), weights);
  writeFileSync(at('mine/config.json'), 'mine');
  const ended = await Promise.all(cases.map(([args]) => heddle(args)));
  for (const [i, { status, stderr }] of ended.entries()) {
    expect([status, isOneLine(stderr)]).toEqual([1, true]);
    expect(stderr).toMatch(cases[i]?.[1] as RegExp);
  }
});

it('unpacks and converts into an empty folder, and verifies an archive', async () => {
  for (const name of ['empty', 'void']) mkdirSync(at(name));
  expect((await heddle(['unpack', at('m.zip'), at('empty')])).stdout).toBe(`wrote ${at('empty')}\n`);
  expect((await heddle(['convert', at('m.zip'), at('void'), '--to', 'pytorch'])).status).toBe(0);
  const { status, stdout } = await heddle(['verify', at('m.zip'), '--host', 'cpu']);
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^m\.zip on cpu/)]);
});
