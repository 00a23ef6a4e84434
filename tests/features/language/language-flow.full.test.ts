// All steps from pairs to the files of Firefox in one process at a very small size, stopped and continued.

import { expect, it } from 'vitest';
import { memoryFiles } from '../../../src/entries/host.ts';
import '../../../src/entries/node.ts';
import { features } from '../../../src/features/features.ts';
import {
  LanguageFlow,
  type LanguagePlan,
  type LanguageStepName,
  languageConfigFile,
  languageStepNames,
} from '../../../src/features/language/language-flow.ts';
import { writeText } from '../../../src/files/files.ts';
import { intlCorpus } from '../../../src/text/intl/intl-corpus.ts';
import { errorOfKind } from '../../support/expect-error.ts';

const model = { dModel: 16, feedForward: 16, heads: 2, encoderLayers: 1, decoderLayers: 1 };
const plan: LanguagePlan = {
  languages: ['en', 'es'],
  vocabSize: 400,
  teacher: { preset: 'tiny', model, steps: 6, batchSize: 8, evalSteps: 0 },
  student: {
    preset: 'firefox-tiny',
    model: { ...model, dModel: 64, feedForward: 64 },
    steps: 4,
    batchSize: 8,
    evalSteps: 0,
  },
  quantize: { steps: 2, batchSize: 8, evalSteps: 0 },
};

it('makes the files of Firefox, and continues after a stop', async () => {
  const files = memoryFiles();
  const pairs = [...intlCorpus({ pairs: 120, source: 'en', target: 'es' })];
  const lines = pairs.map(({ source, target }) => `${source}\t${target}\n`);
  await writeText(files, 'language/pairs.tsv', `${lines.join('')}${lines[0]}no pair\n`);
  const stop = new AbortController();
  await LanguageFlow.create(files, 'language', plan);
  const flow = await LanguageFlow.open('language', {
    device: 'cpu',
    features,
    files,
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'step' && event.step === 3) stop.abort();
    },
  });
  const begun: LanguageStepName[] = [];
  await expect(flow?.run((name) => begun.push(name))).rejects.toThrow(errorOfKind('aborted'));
  expect(begun).toEqual(['clean', 'tokenizer', 'teacher']);

  const steps: number[] = [];
  const again = await LanguageFlow.open('language', {
    device: 'cpu',
    features,
    files,
    onEvent: (event) => {
      if (event.type === 'step') steps.push(event.step);
    },
  });
  if (!again) throw new Error('the flow is not stored');
  begun.length = 0;
  const state = await again.run((name) => begun.push(name));
  expect(begun).toEqual(languageStepNames.slice(2));
  // The teacher resumes: the step after the stop may have been under way.
  expect(steps.slice(0, steps.indexOf(6))).toEqual(steps[0] === 4 ? [4, 5] : [5]);
  expect(state.pairs).toEqual({ all: 122, kept: 120, dev: 6 });
  expect(state.quality.map(({ model }) => model)).toEqual([
    ...['teacher', 'student', 'student, trained for int8', 'int8 files'],
  ]);
  expect(Object.keys(state.files)).toEqual(
    expect.arrayContaining([
      ...['lex.50.50.enes.s2t.bin', 'model.enes.intgemm.alphas.bin', 'vocab.enes.spm'],
    ]),
  );
  expect(await files.exists('language/firefox/vocab.enes.spm')).toBe(true);
  expect(JSON.parse(languageConfigFile(plan))).toMatchObject({
    data: ['pairs.tsv'],
    tokenizer: { vocabSize: 400 },
  });
  await again.close();
});
