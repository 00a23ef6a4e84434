// All steps of `heddle language` at a very small size, with an interruption, and the files in Firefox's own engine.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { intlCorpus } from '../../../../src/text/intl/intl-corpus.ts';
import { bergamotEngine, bergamotLines } from '../../../support/bergamot.ts';
import { heddleProcess, scratch } from '../../../support/cli.ts';

it('goes from pairs to the files of Firefox, and continues after an interruption', async () => {
  const at = (name: string) => join(scratch(), name);
  const pairs = [...intlCorpus({ pairs: 400 })].map(({ source, target }) => `${source}\t${target}\n`);
  writeFileSync(at('pairs.tsv'), pairs.slice(0, 360).join(''));
  writeFileSync(at('dev.tsv'), pairs.slice(360).join(''));
  const size = '{ set: [dModel=64, feedForward=64, encoderLayers=1], steps: 6, batchSize: 8, noTune: true';
  writeFileSync(
    at('language.yaml'),
    [
      ...[
        'languages: [en, es]',
        `data: ${at('pairs.tsv')}`,
        `dev: ${at('dev.tsv')}`,
        'tokenizer: { vocabSize: 400 }',
      ],
      ...[
        'teacher: { preset: tiny, steps: 8, batchSize: 8, saveSteps: 2, noTune: true }',
        `student: ${size} }`,
      ],
      'quantize: { steps: 3, batchSize: 8, noTune: true }',
      '',
    ].join('\n'),
  );
  const words = ['language', at('language.yaml'), '--out', at('out')];
  let stopped = false;
  const first = await heddleProcess(words, {
    onStart: (child) =>
      child.stderr?.on('data', (text) => {
        if (stopped || !String(text).includes('step 3 of 7, teacher')) return;
        stopped = true;
        setTimeout(() => child.kill('SIGINT'), 3000);
      }),
  });
  expect(stopped).toBe(true);
  if (first.status !== 0) expect(first.stderr).toContain('the same command continues');
  const { status, stdout, stderr } = await heddleProcess([...words, '--json', at('result.json')], {
    timeout: 400_000,
  });
  expect(status, stderr).toBe(0);
  expect(stderr).toContain('step 2 of 7, tokenizer: done');
  expect(stdout).toContain('int8 file');
  const result = JSON.parse(readFileSync(at('result.json'), 'utf8'));
  expect(result.quality.map(({ model }: { model: string }) => model)).toEqual([
    ...['teacher', 'student', 'student, trained for int8', 'int8 file'],
  ]);
  expect(Object.keys(result.files).sort()).toEqual(
    expect.arrayContaining(['lex.50.50.enes.s2t.bin', 'model.enes.intgemm.alphas.bin', 'vocab.enes.spm']),
  );
  const again = await heddleProcess(words);
  expect(again.stderr.match(/: done/g)).toHaveLength(7);
  // What was made of a model that is made again is made again too, and evaluated.
  rmSync(at('out/quantized'), { recursive: true });
  const renewed = await heddleProcess(words);
  expect(renewed.status, renewed.stderr).toBe(0);
  expect(renewed.stderr.match(/step \d of 7, \w+: done/g)).toHaveLength(4);
  expect(renewed.stderr).toContain('quality of int8 file');
  if (!bergamotEngine) return;
  writeFileSync(at('texts.txt'), 'three hours\nTuesday\n');
  const [vocab, lex] = ['vocab.enes.spm', 'lex.50.50.enes.s2t.bin'].map((name) =>
    join(at('out/firefox'), name),
  );
  const model = join(at('out/firefox'), 'model.enes.intgemm.alphas.bin');
  const lines = bergamotLines([model, vocab ?? '', vocab ?? '', at('texts.txt'), lex], {
    precision: 'int8shiftAlphaAll',
  });
  expect(lines).toHaveLength(2);
});
