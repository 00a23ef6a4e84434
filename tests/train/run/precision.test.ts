// heddle train --precision f16: a resumed run is bit for bit the uninterrupted one, loss scale included.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runJob } from '../../../src/commands/remote/run-job.ts';
import { counterAt, lossScales } from '../../../src/engine/ops/optimizer/clip.ts';
import { readSafetensors } from '../../../src/files/safetensors.ts';
import { historyOf, parseLog } from '../../../src/train/report/training-log.ts';
import type { TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import { scratch } from '../../support/cli.ts';
import { itInFull } from '../../support/in-full.ts';
import { jobs } from '../../support/jobs.ts';
import { tinySizes, tinyTraining } from '../../support/training.ts';

const at = (name: string) => join(scratch(), name);
writeFileSync(at('pairs.tsv'), ['ab\tba', 'abc\tcba', 'bca\tacb', 'cab\tbac', 'cc\tbb', 'b\ta'].join('\n'));

function train(fields: Partial<TrainArguments> & Pick<TrainArguments, 'out' | 'steps'>) {
  const args = tinyTraining({
    corpus: { kind: 'tsv', path: at('pairs.tsv') },
    heldOut: 0,
    model: { ...tinySizes, dModel: 16, feedForward: 32, dropout: 0.1 },
    tokenizer: 'char',
    vocabSize: 40,
    batchSize: 3,
    lossScaleGrowth: 3, // it grows within the test
    seed: 1,
    precision: 'f16',
    ...fields,
    out: at(fields.out),
  });
  return runJob(jobs.train, args, { host: 'dawn', tune: false });
}

itInFull('resumes with the same bits of weights, moments and loss scale', async () => {
  const whole = await train({ out: 'whole', steps: 10 });
  await train({ out: 'parts', steps: 4 });
  const rest = await train({ out: 'parts', steps: 10, resume: true });
  expect(rest.losses).toEqual(whole.losses.slice(4));
  const files = (name: string) =>
    ['model', 'optimizer'].map((file) => readFileSync(at(`${name}/${file}.safetensors`)));
  expect(files('parts')).toEqual(files('whole'));
  const { counters } = readSafetensors(files('parts')[1] as Uint8Array);
  expect(counters!.data[counterAt.lossScale]).toBe(8 * lossScales.first);
  expect(counters!.data[counterAt.good]).toBe(1);
  // For people, in the checkpoint and in the log.
  expect(JSON.parse(readFileSync(at('parts/state.json'), 'utf8')).lossScale).toBe(8 * lossScales.first);
  const { steps } = historyOf(parseLog(readFileSync(at('parts/log.jsonl'), 'utf8')));
  expect(steps.map((s) => (s.lossScale ?? 0) / lossScales.first)).toEqual([1, 1, 1, 2, 2, 2, 4, 4, 4, 8]);
});
