// heddle train --check-finite: a diverging run stops with the name of the tensor, and its last good
// checkpoint is unchanged, byte for byte.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { runJob } from '../../../src/commands/remote/run-job.ts';
import type { TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { itInFull } from '../../support/in-full.ts';
import { jobs } from '../../support/jobs.ts';
import { tinySizes, tinyTraining } from '../../support/training.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-finite-'));
const at = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(at('pairs.tsv'), ['ab\tba', 'abc\tcba', 'bca\tacb', 'cab\tbac'].join('\n'));

function train(fields: Partial<TrainArguments>) {
  const args = tinyTraining({
    corpus: { kind: 'tsv', path: at('pairs.tsv') },
    heldOut: 0,
    model: tinySizes,
    tokenizer: 'char',
    vocabSize: 40,
    steps: 6,
    batchSize: 4,
    // The first update makes the weights so large that products overflow in the second step.
    learningRate: 1e30,
    seed: 1,
    saveSteps: 1,
    ...fields,
    out: at('model'),
  });
  return runJob(jobs.train, args, { host: 'dawn', tune: false });
}

const checkpoint = ['model.safetensors', 'optimizer.safetensors', 'state.json', 'config.json'];
const bytes = () => checkpoint.map((name) => readFileSync(at(`model/${name}`)));

itInFull(
  'names the step, op, layer and tensor, and keeps the checkpoint of the step before',
  {
    timeout: 120_000,
  },
  async () => {
    const error = errorAbout({ values: [2, expect.stringMatching(/^encoder\./)] });
    await expect(train({ checkFinite: true })).rejects.toThrow(error);
    expect(JSON.parse(readFileSync(at('model/state.json'), 'utf8')).step).toBe(1);
    const before = bytes();
    await expect(train({ resume: true, checkFinite: true })).rejects.toThrow(error);
    expect(bytes()).toEqual(before);
    // Without the option the same steps are skipped one by one, and saved.
    const { skipped } = await train({ resume: true, steps: 3, checkFinite: false });
    expect(skipped).toBe(2);
    expect(bytes()).not.toEqual(before);
  },
);
