// heddle eval of a model of the task read-line: the sources of a TSV are drawn as lines, read, and compared.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { heddle, scratch } from '../support/cli.ts';

it('reads the lines of a TSV, skips those that are too wide, and reports error rates', async () => {
  const at = (name: string) => join(scratch(), name);
  const sizes = ['dModel=16', 'heads=2', 'feedForward=16', 'encoderLayers=1', 'decoderLayers=1'];
  const args = ['--corpus', 'read-line', '--pairs', '40', '--steps', '2', '--batch-size', '4', '--no-tune'];
  const training = [...args, ...sizes.flatMap((size) => ['--set', size]), '--out', at('lines')];
  const trained = await heddle(['train', ...training]);
  expect(trained.status, trained.stderr).toBe(0);
  const lines = ['abc', 'hello', 'word two', 'w'.repeat(120), 'last'];
  writeFileSync(at('lines.tsv'), lines.map((line) => `${line}\t${line}\n`).join(''));
  const out = ['--out', at('out.tsv'), '--json', at('scores.json'), '--bootstrap', '0'];
  const { status, stderr } = await heddle(['eval', at('lines'), at('lines.tsv'), ...out]);
  expect(status, stderr).toBe(0);
  expect(stderr).toMatch(/lines\.tsv: read: the line is \d+ times as wide as high/);
  expect(JSON.parse(readFileSync(at('scores.json'), 'utf8'))).toMatchObject({
    pairs: 4,
    skipped: 1,
    cer: expect.any(Number),
    wer: expect.any(Number),
  });
  const texts = readFileSync(at('out.tsv'), 'utf8');
  for (const line of lines) expect(texts.includes(line)).toBe(line.length < 100);
});
