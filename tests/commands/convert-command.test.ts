// heddle convert, and the commands that take folders of Hugging Face as they are.
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeFolder } from '../../src/files/owned-folder.ts';
import { hfFiles } from '../../src/formats/hf/save-hf.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { heddle, isOneLine, scratch, smallTraining } from '../support/cli.ts';
import { fairseqPieces, loadMultilingual } from '../support/sentencepiece.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/hf', name);
const noGpu = { env: { VK_DRIVER_FILES: '/nonexistent' } };

it('converts a model to other layouts and back bit for bit, and replaces a folder only with --force', async () => {
  const [own, back] = [join(scratch(), 'own'), join(scratch(), 'back')];
  const out = await heddle(['convert', fixture('bart'), own, '--to', 'heddle'], noGpu);
  expect([out.status, out.stdout]).toEqual([0, `${own}: heddle, 4,829 parameters\n`]);
  expect((await heddle(['convert', own, `${back}/`, '--to', 'bart'], noGpu)).status).toBe(0);
  const file = 'model.safetensors';
  expect(readFileSync(join(back, file)).equals(readFileSync(join(fixture('bart'), file)))).toBe(true);
  const again = await heddle(['convert', own, back, '--to', 'pytorch'], noGpu);
  expect([again.status, isOneLine(again.stderr)]).toEqual([1, true]);
  expect(again.stderr).toContain('exists already; use --force to replace it');
  expect((await heddle(['convert', own, back, '--to', 'pytorch', '--force'], noGpu)).status).toBe(0);
});

it('names the fields that a format does not support', async () => {
  const { status, stderr } = await heddle(
    ['convert', fixture('bart'), join(scratch(), 'no'), '--to', 'marian'],
    noGpu,
  );
  expect(status).toBe(1);
  expect(stderr).toContain(
    'heddle: MarianMT does not support this model: embeddingNorm is true, it must be false; positions is',
  );
});

it('exports a multilingual model between two languages', async () => {
  const [nllb, out] = [join(scratch(), 'nllb'), join(scratch(), 'deu-fra')];
  const config = { vocab_size: fairseqPieces.length + 206, decoder_start_token_id: 2 };
  await writeFolder(nodeFiles(), nllb, hfFiles(await loadMultilingual('m2m_100', config), 'm2m_100'));
  const languages = ['--source-lang', 'deu_Latn', '--target-lang', 'fra_Latn'];
  expect((await heddle(['convert', nllb, out, '--to', 'onnx', ...languages], noGpu)).status).toBe(0);
  const { forced_bos_token_id: id } = JSON.parse(readFileSync(join(out, 'generation_config.json'), 'utf8'));
  const { added_tokens: added, post_processor: frame } = JSON.parse(
    readFileSync(join(out, 'tokenizer.json'), 'utf8'),
  );
  expect(added.find((token: { id: number }) => token.id === id).content).toMatch(/fra_Latn$/);
  expect(Object.keys(frame.special_tokens).filter((token) => /_Latn$/.test(token))).toEqual([
    expect.stringMatching(/deu_Latn$/),
  ]);
  const wrong = await heddle(['convert', nllb, `${out}-2`, '--to', 'onnx', '--target-lang', 'xx'], noGpu);
  expect([wrong.status, isOneLine(wrong.stderr)]).toEqual([1, true]);
  expect(wrong.stderr).toContain('--target-lang is xx');
});

it('converts a checkpoint for torchrun, with data of the planned updates or of --steps', async () => {
  const at = (name: string) => join(scratch(), name);
  const steps = ['--steps', '2', '--schedule', 'linear', '--schedule-steps', '9'];
  await heddle(
    ['train', ...smallTraining, ...steps, '--eval-steps', '0', '--host', 'cpu', '--out', at('run')],
    noGpu,
  );
  const planned = await heddle(['convert', at('run'), at('torch'), '--to', 'torch-run'], noGpu);
  expect(planned.stdout).toMatch(
    /torch: torch-run, [\d,]+ parameters, data of steps 2 to 9\ntorchrun --nproc-per-node N .*torch\/continue.py .*torch\n$/,
  );
  const more = await heddle(
    ['convert', `${at('run')}/`, at('more'), '--to', 'torch-run', '--steps', '20'],
    noGpu,
  );
  expect(more.stdout).toContain('data of steps 2 to 20');
  const wrong = await heddle(['convert', fixture('bart'), at('none'), '--to', 'torch-run'], noGpu);
  expect([wrong.status, isOneLine(wrong.stderr)]).toEqual([1, true]);
  expect(wrong.stderr).toContain('not a checkpoint: there is no state.json');
});

it('translates, verifies and plans a folder as it is', async () => {
  const bart = join(scratch(), 'bart');
  cpSync(fixture('bart'), bart, { recursive: true });
  const { cases } = JSON.parse(readFileSync(join(bart, 'expected.json'), 'utf8'));
  const translated = await heddle(['translate', bart, cases[1].word, '--host', 'cpu', '--ids']);
  expect(translated.stdout).toBe(`${cases[1].tgt_ids.slice(1, -1).join(' ')}\n`);
  expect(translated.stderr).toContain('there is no tokenizer; texts are token ids separated by spaces');
  const verified = await heddle(['verify', bart, '--host', 'cpu']);
  expect([verified.status, verified.stdout]).toEqual([
    0,
    expect.stringMatching(/tokens +0 tokens +0 +ok[\s\S]*first logits/),
  ]);
  const planned = await heddle(['plan', bart, '--run', 'decoding', '--batch-size', '2'], noGpu);
  expect(planned.stdout).toMatch(/4,829 parameters; 2 rows of 14 source and 14 target positions/);
});

it('accepts a scheme or a model folder for --init, and rejects settings that the model has', async () => {
  const wrong = await heddle(['train', '--init', 'xavir', '--out', join(scratch(), 'x')], noGpu);
  expect(wrong.stderr).toMatch(
    /--init \(xavir\) is neither a scheme \(xavier, truncated-normal\) nor an existing folder; .*heddle pull OWNER\/NAME\n$/,
  );
  const preset = await heddle(
    ['train', '--init', fixture('bart'), '--preset', 'tiny', '--out', join(scratch(), 'x')],
    noGpu,
  );
  expect(preset.stderr).toMatch(/the model in .*bart has its own --preset; leave out --preset or --init/);
});
