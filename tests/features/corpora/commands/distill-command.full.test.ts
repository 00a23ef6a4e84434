// heddle distill, interrupted with Ctrl-C in both stages and started again, gives the student of an
// uninterrupted run.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeFolder } from '../../../../src/files/owned-folder.ts';
import { heddleFiles } from '../../../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { type Ended, heddleProcess, scratch } from '../../../support/cli.ts';
import { letterModel } from '../../../support/saved-model.ts';

it('resumes after Ctrl-C in the teacher stage and in the training stage', async () => {
  const at = (name: string) => join(scratch(), name);
  await writeFolder(nodeFiles(), at('teacher'), heddleFiles(letterModel()));
  // Three files of translations. A number in the base 5 is a text of the letters a to e.
  const texts = Array.from({ length: 1100 }, (_, i) =>
    i.toString(5).replace(/\d/g, (d) => 'abcde'[Number(d)] ?? ''),
  );
  writeFileSync(at('texts.txt'), texts.join('\n'));
  writeFileSync(at('dev.tsv'), 'bad\tdab\nabc\tcba\n');
  const student = ['dModel=8', 'heads=1', 'feedForward=8'].flatMap((option) => ['--set', option]);
  const training = [
    '--preset',
    'tiny',
    '--tokenizer',
    'char',
    '--steps',
    '40',
    '--batch-size',
    '8',
    ...student,
  ];
  const options = [
    '--dev',
    at('dev.tsv'),
    '--beams',
    '2',
    '--host',
    'dawn',
    '--no-tune',
    '--verbose',
    '--eval-steps',
    '0',
  ];
  /** Runs heddle distill; sends Ctrl-C when its stderr matches `until`. */
  const run = (out: string, until?: RegExp): Promise<Ended> =>
    heddleProcess(['distill', at('teacher'), at('texts.txt'), '--out', at(out), ...options, ...training], {
      timeout: 600_000,
      onStart(child) {
        let output = '';
        child.stderr?.on('data', (chunk) => {
          const before = until?.test(output);
          output += chunk;
          if (until?.test(output) && !before) child.kill('SIGINT');
        });
      },
    });

  const whole = await run('whole');
  expect(whole.status, whole.stderr).toBe(0);
  const files = ['000000.tsv', '000001.tsv', '000002.tsv', 'distill.json'];
  expect(readdirSync(at('whole.teacher'))).toEqual(files);

  const first = await run('parts', /"task":"teacher","done":512/);
  expect(first.status).toBe(130);
  expect(first.stderr).toMatch(/^heddle: distill: /m);
  const kept = readdirSync(at('parts.teacher'));
  expect(kept).toContain('000000.tsv');
  expect(kept).not.toContain('000002.tsv');

  const second = await run('parts', /step {2}.*"step":5,/);
  expect(second.status).toBe(130);
  expect(second.stdout).toMatch(/^training .*; stopped, the same command continues$/m);
  const { step } = JSON.parse(readFileSync(join(at('parts'), 'state.json'), 'utf8'));
  expect(step).toBeGreaterThan(4);
  expect(step).toBeLessThan(40);

  const third = await run('parts');
  expect(third.status, third.stderr).toBe(0);
  expect(third.stdout).toMatch(/^teacher .*\nstudent .*\nstudent, int8 /m);
  for (const name of files.slice(0, 3))
    expect(readFileSync(join(at('parts.teacher'), name), 'utf8')).toBe(
      readFileSync(join(at('whole.teacher'), name), 'utf8'),
    );
  const weights = (out: string) => readFileSync(join(at(out), 'model.safetensors'));
  expect(weights('parts').equals(weights('whole'))).toBe(true);
}, 1_200_000);
