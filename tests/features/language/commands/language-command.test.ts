// `heddle language`: the commands of the steps, and errors of the configuration.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { flagWords } from '../../../../src/features/language/commands/language-config.ts';
import { heddle, isOneLine, scratch } from '../../../support/cli.ts';

const write = (text: string): string => {
  const path = join(scratch(), 'language.yaml');
  writeFileSync(path, text);
  return path;
};
const base = 'languages: [en, es]\ndata: pairs.tsv\ndev: dev.tsv\n';

it('prints the command of each step', async () => {
  const path = write(`${base}teacher: { preset: small, steps: 9 }\nstudent: { set: [dModel=64, heads=4] }\n`);
  const { status, stdout } = await heddle(['language', path, '--out', 'out', '--dry-run']);
  expect(status).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => line.split(' ')[1])).toEqual([
    ...['clean', 'tokenizer', 'train', 'distill', 'train', 'align', 'convert'],
  ]);
  expect(lines[1]).toContain('tokenizer out/clean.tsv --out out/vocab --special-tokens marian');
  expect(lines[2]).toContain('--out out/teacher --preset small --steps 9');
  expect(lines[3]).toContain(
    '--tokenizer-file out/vocab.model --preset firefox-tiny --set dModel=64 --set heads=4',
  );
  expect(lines[4]).toContain('--init out/student --out out/quantized --quantize-bits 8');
  expect(lines[6]).toBe(
    'heddle convert out/quantized out/firefox --to firefox --language-pair enes --calibration out/calibration.txt --force --shortlist out/lex.s2t',
  );
});

it('leaves out steps, and takes a teacher that exists', async () => {
  const path = write(`${base}teacher: models/big\nclean: false\nquantize: false\nshortlist: false\n`);
  const { stdout } = await heddle(['language', path, '--out', 'out', '--dry-run']);
  expect(stdout.match(/^heddle \w+/gm)).toEqual(['heddle tokenizer', 'heddle distill', 'heddle convert']);
  expect(stdout).toContain('distill models/big pairs.tsv');
});

it.each([
  ['teachr: {}\n', 'there is no field teachr'],
  ['teacher: { steps: { a: 1 } }\n', 'teacher.steps must be a text'],
  ['quantize: 3\n', 'quantize must have fields'],
])('names the field that is wrong: %s', async (text, message) => {
  const { status, stderr } = await heddle(['language', write(base + text), '--out', 'out', '--dry-run']);
  expect(status).toBe(1);
  expect(isOneLine(stderr)).toBe(true);
  expect(stderr).toContain(message);
});

it('makes flags of fields', () => {
  expect(
    flagWords({ learningRate: 0.1, tune: false, quiet: true, set: ['a=1', 'b=2'], 'max-tokens': 5 }),
  ).toEqual([...['--learning-rate', '0.1', '--quiet', '--set', 'a=1', '--set', 'b=2', '--max-tokens', '5']]);
});
