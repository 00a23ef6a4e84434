// heddle distill: a teacher translates, a student trains on it; a second run reuses the translations and
// resumes.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { chooseHypothesis } from '../../../../src/features/corpora/distill.ts';
import { writeFolder } from '../../../../src/files/owned-folder.ts';
import { heddleFiles } from '../../../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { heddle, scratch } from '../../../support/cli.ts';
import { letterModel } from '../../../support/saved-model.ts';

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
    '--beams',
    '2',
    '--host',
    'cpu',
    '--set',
    'dModel=8',
  ];
  const training = ['--set', 'heads=1', '--set', 'feedForward=8', '--preset', 'tiny', '--tokenizer', 'char'];
  const run = (file: string, ...more: string[]) =>
    heddle(['distill', at('teacher'), at(file), ...options, ...training, ...more]);

  const first = await run('texts.txt', '--steps', '3', '--json', at('result.json'));
  expect(first.stderr).not.toMatch(/^heddle:/m);
  expect(first.stdout).toMatch(/^teacher .*\nstudent .*\nstudent, int8 /m);
  expect(first.stdout).toContain(
    '24 of 25 translated by the teacher; the others are too long for it; lines that repeat another: 1',
  );
  const result = JSON.parse(readFileSync(at('result.json'), 'utf8'));
  expect(result).toMatchObject({ texts: 25, repeated: 1, skipped: 1, training: { steps: 3 } });
  const lines = readFileSync(at('student.teacher/000000.tsv'), 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => line.split('\t')[0])).toEqual(texts.slice(0, 24));
  const translated = (
    await heddle(['translate', at('teacher'), 'deed', '--beams', '2', '--host', 'cpu'])
  ).stdout.trim();
  expect(lines.find((line) => line.startsWith('deed\t'))).toBe(`deed\t${translated}`);

  const written = statSync(at('student.teacher/000000.tsv')).mtimeMs;
  expect((await run('texts.txt', '--steps', '3')).status).toBe(0);
  expect(statSync(at('student.teacher/000000.tsv')).mtimeMs).toBe(written);
  expect(readdirSync(at('student.teacher'))).toEqual(['000000.tsv', 'distill.json', 'heddle-manifest.json']);

  writeFileSync(at('others.txt'), 'abc\nbad\n');
  const other = await run('others.txt');
  expect(other.status).toBe(1);
  expect(other.stderr).toMatch(/student\.teacher: its translations were made with other texts .*--force/);
});

it('reports invalid options before the teacher translates', async () => {
  const at = (name: string) => join(scratch(), `wrong-${name}`);
  await writeFolder(nodeFiles(), at('teacher'), heddleFiles(letterModel()));
  writeFileSync(at('texts.txt'), 'abc\nbad\n');
  writeFileSync(at('empty.txt'), '');
  writeFileSync(at('blank.txt'), '\n \n');
  writeFileSync(at('long.txt'), `${'a'.repeat(40)}\n${'b'.repeat(50)}\n`);
  mkdirSync(at('documents'));
  writeFileSync(join(at('documents'), 'letter.txt'), 'Dear Sir');
  const message = async (args: readonly string[], { teacher = at('teacher'), out = at('out') } = {}) => {
    const { status, stderr } = await heddle(['distill', teacher, '--out', out, '--host', 'cpu', ...args]);
    expect(status).toBe(1);
    expect(existsSync(join(`${out}.teacher`, '000000.tsv'))).toBe(false);
    return stderr.split('\n').filter((line) => /^(heddle|error):/.test(line));
  };
  const texts = at('texts.txt');
  expect(await message([])).toEqual(['heddle: distill: give files of texts or pairs']);
  expect(await message([texts], { teacher: at('nobody') })).toEqual([
    expect.stringMatching(/^heddle: .*wrong-nobody: /),
  ]);
  expect(await message([at('none.txt')])).toEqual([
    expect.stringMatching(/wrong-none\.txt: .*(exist|no such)/),
  ]);
  expect(await message([at('empty.txt')])).toEqual([
    expect.stringMatching(/wrong-empty\.txt: the file is empty$/),
  ]);
  expect(await message([at('blank.txt')])).toEqual([
    expect.stringMatching(/wrong-blank\.txt: there are no texts$/),
  ]);
  expect(await message([at('long.txt')])).toEqual([
    expect.stringMatching(/wrong-teacher: all 2 texts are longer than its maximum of 23 tokens$/),
  ]);
  expect(await message([texts, '--dev', at('none.tsv')])).toEqual([
    expect.stringMatching(/wrong-none\.tsv: /),
  ]);
  expect(await message([texts, '--preset', 'huge'])).toEqual([
    expect.stringMatching(/'--preset <name>' argument 'huge' is invalid/),
  ]);
  expect(await message([texts, '--set', 'heads=3'])).toEqual([expect.stringMatching(/heads/)]);
  expect(await message([texts, '--schedule', 'cosine', '--warmup-steps', '9', '--steps', '5'])).toEqual([
    expect.stringMatching(/--warmup-steps \(9\) must be below the 5 steps of the cosine schedule/),
  ]);
  expect(await message([texts], { out: at('teacher') })).toEqual([
    expect.stringMatching(/this is the teacher; use another folder for the student$/),
  ]);
  for (const more of [[], ['--force']])
    expect(await message([texts, ...more], { out: at('documents') })).toEqual([
      expect.stringMatching(/\(letter\.txt\)/),
    ]);
  expect(existsSync(join(at('documents'), 'letter.txt'))).toBe(true);
  await writeFolder(nodeFiles(), at('other'), heddleFiles(letterModel(3)));
  expect(await message([texts], { out: at('other') })).toEqual([
    expect.stringMatching(
      /wrong-other: distill did not train this model: there is no .*wrong-other\.teacher; use --force/,
    ),
  ]);
});

it('takes texts from files of lines and of pairs, each text once', async () => {
  const at = (name: string) => join(scratch(), `texts-${name}`);
  await writeFolder(nodeFiles(), at('teacher'), heddleFiles(letterModel()));
  writeFileSync(at('a.en'), 'abc\n\n  bad  \n');
  writeFileSync(at('b.tsv'), 'bed\tdeb\nabc\tcba\ndad\t\n');
  writeFileSync(at('c.csv'), 'source,target\n"ace, bad",x\n');
  const student = ['dModel=8', 'heads=1', 'feedForward=8'].flatMap((option) => ['--set', option]);
  const { status, stderr } = await heddle([
    ...['distill', at('teacher'), at('a.en'), at('b.tsv'), at('c.csv'), '--out', at('out'), '--host', 'cpu'],
    ...[
      '--preset',
      'tiny',
      '--tokenizer',
      'char',
      '--steps',
      '1',
      '--held-out',
      '0',
      '--beams',
      '1',
      ...student,
    ],
  ]);
  expect(status, stderr).toBe(0);
  const lines = readFileSync(join(`${at('out')}.teacher`, '000000.tsv'), 'utf8')
    .trimEnd()
    .split('\n');
  expect(lines.map((line) => line.split('\t')[0])).toEqual(['abc', 'bad', 'bed', 'dad', 'ace, bad']);
});

it('takes the hypothesis that is closest to a reference, and leaves out improbable ones', () => {
  const hypotheses = [
    { text: 'un perro', logProb: -1, ids: [1, 2] },
    { text: 'un gato', logProb: -6, ids: [1, 3] },
  ];
  expect(chooseHypothesis(hypotheses)).toBe('un perro');
  expect(chooseHypothesis(hypotheses, ['el gato', 'un gato'])).toBe('un gato');
  expect(chooseHypothesis(hypotheses, ['un gato'], 1.9)).toBeUndefined();
  expect(chooseHypothesis(hypotheses, [], 1.9)).toBe('un perro');
  expect(chooseHypothesis([])).toBe('');
});
