// heddle distill: a teacher translates, a student trains on it; a second run reuses the translations and resumes.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeFolder } from '../../src/files/files.ts';
import { heddleFiles } from '../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { heddle, scratch } from '../support/cli.ts';
import { letterModel } from '../support/saved-model.ts';

it('trains a student on the translations of a teacher, and resumes', async () => {
  const at = (name: string) => join(scratch(), name);
  await writeFolder(nodeFiles(), at('teacher'), heddleFiles(letterModel()));
  const words = ['a', 'b', 'ab', 'abc', 'cab', 'bad', 'bed', 'dad', 'add', 'deed', 'dead', 'ace'];
  const texts = [...words, ...words.map((word) => `${word} ${word}`), 'a'.repeat(40), 'a'];
  writeFileSync(at('texts.txt'), texts.join('\n'));
  writeFileSync(at('dev.tsv'), 'bad\tdab\nabc\tcba\n');
  const options = [
    '--dev',
    at('dev.tsv'),
    '--out',
    at('student'),
    '--beam-size',
    '2',
    '--host',
    'cpu',
    '--set',
    'dModel=8',
  ];
  const training = ['--set', 'heads=1', '--set', 'feedForward=8', '--preset', 'tiny', '--tokenizer', 'char'];
  const run = (file: string, ...more: string[]) =>
    heddle(['distill', at('teacher'), at(file), ...options, ...training, '--json', at('result.json'), ...more]);

  const first = await run('texts.txt', '--steps', '3');
  expect(first.stderr).not.toMatch(/^heddle:/m);
  expect(first.stdout).toMatch(/^teacher .*\nstudent .*\nstudent, int8 /m);
  expect(first.stdout).toContain('24 of 25 translated by the teacher; the others are too long for it');
  const result = JSON.parse(readFileSync(at('result.json'), 'utf8'));
  expect(result).toMatchObject({ texts: 25, skipped: 1, training: { steps: 3 } });
  const lines = readFileSync(at('student.teacher/000000.tsv'), 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => line.split('\t')[0])).toEqual(texts.slice(0, 24));
  const translated = (
    await heddle(['translate', at('teacher'), 'deed', '--beam-size', '2', '--host', 'cpu'])
  ).stdout.trim();
  expect(lines.find((line) => line.startsWith('deed\t'))).toBe(`deed\t${translated}`);

  const made = statSync(at('student.teacher/000000.tsv')).mtimeMs;
  expect((await run('texts.txt', '--steps', '3')).status).toBe(0);
  expect(statSync(at('student.teacher/000000.tsv')).mtimeMs).toBe(made);
  expect(readdirSync(at('student.teacher'))).toEqual(['000000.tsv', 'distill.json']);

  writeFileSync(at('others.txt'), 'abc\nbad\n');
  const other = await run('others.txt');
  expect(other.status).toBe(1);
  expect(other.stderr).toMatch(/student\.teacher: its translations were made with other texts .*--force/);
});
