// Stages, one of which ends when dev stalls, with sampled pieces and augmentation on a GPU: a run that is killed
// after a checkpoint and resumed has the bits of an uninterrupted one.
import { expect, it } from 'vitest';
import { mixedCorpus } from '../../../../src/features/corpora/corpus-stages.ts';
import { type Files, writeText } from '../../../../src/files/files.ts';
import { memoryFiles } from '../../../../src/files/memory-files.ts';
import { parseLog } from '../../../../src/train/report/training-log.ts';
import { runTraining } from '../../../../src/train/run/recovery.ts';
import { testEngine } from '../../../support/engine.ts';
import { EngineSession } from '../../../support/session.ts';
import { tinyCorpus, tinyTraining } from '../../../support/training.ts';

const lines = tinyCorpus.split('\n');

/** Files of the corpus, with copies of those in `from`. */
async function filesWith(from: Readonly<Record<string, Uint8Array>> = {}): Promise<Files> {
  const files = memoryFiles();
  await writeText(files, 'a.tsv', lines.slice(0, 60).join('\n'));
  await writeText(files, 'b.tsv', lines.slice(60).join('\n'));
  for (const [path, bytes] of Object.entries(from)) await files.write(path, bytes);
  return files;
}

/** The files of a model folder, as a kill at this moment leaves them. */
async function copyOf(files: Files, folder: string): Promise<Record<string, Uint8Array>> {
  const copied: Record<string, Uint8Array> = {};
  for (const name of await files.list(folder))
    copied[`${folder}/${name}`] = (await files.read(`${folder}/${name}`)).slice();
  return copied;
}

/** Trains for 14 updates; with `copyAt`, saves a checkpoint at that step and copies the model folder. */
async function train(files: Files, resume: boolean, copyAt = -1) {
  const corpus = mixedCorpus({
    stages: [
      { data: ['a.tsv=0.5', 'b.tsv=0.5'], steps: 3 },
      { data: ['b.tsv'], stalls: 1 },
      { data: ['a.tsv'] },
    ],
  });
  const data = { corpus, resume, out: 'm', samplingAlpha: 0.3, augment: ['web', 'typos=0.3'] };
  const length = { steps: 14, saveSeconds: 0, evalSteps: 2, patience: 9, learningRate: 0.5 };
  const args = tinyTraining({ ...data, ...length, tokenizer: 'unigram', vocabSize: 60 });
  let copy: Record<string, Uint8Array> | undefined;
  let stepOf = () => 0;
  await runTraining(args, new EngineSession(files, testEngine), {
    gate: {
      ready({ step }) {
        stepOf = step;
      },
      wantsCheckpoint: () => stepOf() === copyAt,
      between: () =>
        stepOf() === copyAt && !copy
          ? async () => {
              copy = await copyOf(files, 'm');
            }
          : undefined,
    },
  });
  const log = parseLog(new TextDecoder().decode(await files.read('m/log.jsonl')));
  return {
    copy,
    weights: await files.read('m/model.safetensors'),
    losses: log.flatMap((record) => (record.type === 'step' ? [record.loss] : [])),
    stages: log.flatMap((record) => (record.type === 'stage' ? [record.step] : [])),
  };
}

it('resumes stages, sampling and augmentation with the same bits after a kill', async () => {
  const whole = await train(await filesWith(), false, 5);
  expect(whole.stages).toHaveLength(3);
  expect(whole.stages.slice(0, 2)).toEqual([0, 3]);
  expect(whole.stages[2]).toBeGreaterThan(5); // dev has stalled after the kill
  expect(whole.copy).toBeDefined();
  const resumed = await train(await filesWith(whole.copy), true);
  expect(resumed.losses).toEqual(whole.losses);
  expect(resumed.stages).toEqual(whole.stages);
  expect(resumed.weights).toEqual(whole.weights);
});
