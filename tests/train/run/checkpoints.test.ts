// Checkpoints: when and where they are saved, failed saves, and resuming after a cut-off save or a changed
// corpus.

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { runJob } from '../../../src/commands/remote/run-job.ts';
import { HeddleError } from '../../../src/core/errors.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { Checkpointer, type CheckpointerOptions } from '../../../src/train/run/checkpoints.ts';
import type { CheckpointFolder } from '../../../src/train/run/train-result.ts';
import type { TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { jobs } from '../../support/jobs.ts';
import { tinyCorpus, tinyTraining } from '../../support/training.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-resume-'));
const at = (name: string) => join(folder, name);
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const bytes = (path: string) => readFileSync(path, 'base64');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Trains on a file in the folder and gives the losses. */
async function train(file: string, fields: Partial<TrainArguments>): Promise<readonly number[]> {
  const corpus = { kind: 'tsv', path: at(file) } as const;
  return (await runJob(jobs.train, { ...tinyTraining({ steps: 5, ...fields }), corpus }, { host: 'cpu' }))
    .losses;
}

let rest: readonly number[];

/** A training of 3 steps, in a folder of this name. */
function begun(name: string): string {
  cpSync(at('begun'), at(name), { recursive: true });
  return at(name);
}

beforeAll(async () => {
  writeFileSync(at('pairs.tsv'), tinyCorpus);
  await train('pairs.tsv', { out: at('begun'), steps: 3 });
  rest = await train('pairs.tsv', { out: begun('calm'), resume: true });
  expect(rest).toHaveLength(2);
});

it('resumes from a checkpoint whose save was cut off after its commit', async () => {
  const out = begun('cut');
  const names = readdirSync(out);
  mkdirSync(join(out, '.heddle-0123456789ab/files'), { recursive: true });
  for (const name of names) renameSync(join(out, name), join(out, '.heddle-0123456789ab/files', name));
  writeFileSync(
    join(out, '.heddle-0123456789ab/commit.json'),
    JSON.stringify({ version: 1, moves: names, removes: {} }),
  );
  expect(await train('pairs.tsv', { out, resume: true })).toEqual(rest);
  expect(json(join(out, 'state.json')).step).toBe(5);
  expect(readdirSync(out).sort()).toEqual(names.sort());
});

it('accepts a corpus at a new path, and stores that path', async () => {
  const out = begun('moved');
  cpSync(at('pairs.tsv'), at('elsewhere.tsv'));
  expect(await train('elsewhere.tsv', { out, resume: true })).toEqual(rest);
  expect(json(join(out, 'state.json')).arguments.corpus.path).toBe(at('elsewhere.tsv'));
});

it('keeps the weights of the last checkpoints, also those of an earlier session, for averaging', async () => {
  const out = at('kept');
  const steps = () => readdirSync(folder).filter((name) => name.startsWith('kept.step-'));
  await train('pairs.tsv', { out, steps: 3, saveSteps: 1, keepLast: 2 });
  expect(steps().sort()).toEqual(['kept.step-2', 'kept.step-3']);
  // A killed run leaves a folder that it has not finished; the user's is beside it.
  mkdirSync(at('kept.step-1/.heddle-0123456789ab/files'), { recursive: true });
  writeFileSync(at('kept.step-1/.heddle-0123456789ab/files/config.json'), '{}');
  mkdirSync(at('kept.step-4'));
  writeFileSync(at('kept.step-4/notes.txt'), 'mine');
  await train('pairs.tsv', { out, resume: true, saveSteps: 0 });
  expect(steps().sort()).toEqual(['kept.step-3', 'kept.step-4', 'kept.step-5']);
  expect(readFileSync(at('kept.step-4/notes.txt'), 'utf8')).toBe('mine');
  rmSync(at('kept.step-4'), { recursive: true });
  expect(bytes(at('kept.step-5/model.safetensors'))).toBe(bytes(join(out, 'model.safetensors')));
  const mean = { folders: steps().map(at), out: at('mean') };
  expect(await runJob(jobs.average, mean, { host: 'cpu' })).toMatchObject({ models: 2 });
});

it('rejects other pairs by name, and leaves its checkpoint', async () => {
  const out = begun('rejected');
  const lines = tinyCorpus.split('\n');
  const model = bytes(join(out, 'model.safetensors'));
  writeFileSync(at('shorter.tsv'), lines.slice(20).join('\n'));
  await expect(train('shorter.tsv', { out, resume: true })).rejects.toThrow(
    errorAbout({ options: ['init'] }),
  );
  writeFileSync(at('other.tsv'), [...lines].reverse().join('\n'));
  await expect(train('other.tsv', { out, resume: true })).rejects.toThrow(errorAbout({ options: ['init'] }));
  expect(json(join(out, 'state.json')).step).toBe(3);
  expect(bytes(join(out, 'model.safetensors'))).toBe(model);
});

it('takes its tokenizers from the checkpoint, if an older version saved it without a corpus fingerprint', async () => {
  const out = begun('old');
  const { data, ...old } = json(join(out, 'state.json'));
  expect(data).toEqual({ pairs: expect.any(Number), hash: expect.stringMatching(/^[0-9a-f]{8}$/) });
  writeFileSync(join(out, 'state.json'), JSON.stringify(old));
  rmSync(join(out, 'heddle-manifest.json')); // older versions wrote none
  const names = ['source-tokenizer.json', 'target-tokenizer.json'].map((name) => join(out, name));
  const before = names.map(bytes);
  // The same words with other frequencies: a newly trained vocabulary has the same size and other ids.
  const lines = tinyCorpus.split('\n');
  writeFileSync(at('frequent.tsv'), [...lines, ...Array(9).fill(lines[5])].join('\n'));
  expect(await train('frequent.tsv', { out, resume: true })).toHaveLength(2);
  expect(names.map(bytes)).toEqual(before);
  await train('frequent.tsv', { out: at('anew'), steps: 1 });
  const anew = join(at('anew'), 'target-tokenizer.json');
  expect(bytes(anew)).not.toBe(before[1]);
  expect(Object.keys(json(anew).model.vocab)).toHaveLength(
    Object.keys(json(names[1] as string).model.vocab).length,
  );
});

describe('a checkpointer', () => {
  afterEach(() => vi.restoreAllMocks());

  /** A keeper whose saves write the step as a file; `run(step, final)` does what is due. */
  function made(
    options: Partial<CheckpointerOptions>,
    fails: (place: CheckpointFolder) => boolean = () => false,
  ) {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const [files, memory] = [memoryFiles(), memoryFiles()];
    const messages: string[] = [];
    let at = 0;
    const keeper = new Checkpointer({
      out: { files, folder: 'out' },
      saveSteps: 0,
      saveSeconds: 0,
      memory,
      step: () => at,
      async save(place) {
        if (fails(place)) throw new HeddleError('no room');
        await place.files.write(`${place.folder}/step`, new Uint8Array([at]));
        now += 100;
      },
      onSaved: (step) => messages.push(`saved ${step}`),
      onFailed: (error) => messages.push(`failed ${error.message}`),
      ...options,
    });
    const { pauses } = keeper;
    return {
      keeper,
      files,
      memory,
      said: messages,
      async run(step: number, seconds: number, final = false) {
        at = step;
        now = seconds * 1000;
        const due = pauses.filter((p) => final || p.due(seconds));
        for (const work of due) await work.pause(0, final, seconds);
        return due.length;
      },
    };
  }

  it('saves snapshots in memory every 30 seconds, and only the folder at the end', async () => {
    const { keeper, files, memory, said: messages, run } = made({});
    expect(await run(3, 29)).toBe(0);
    expect(await run(4, 31)).toBe(1);
    expect(await memory.exists('out/step')).toBe(true);
    expect(await files.exists('out/step')).toBe(false);
    expect(keeper.step).toBe(4);
    await run(9, 40, true);
    expect(await memory.exists('out/step')).toBe(false);
    expect(await files.read('out/step')).toEqual(new Uint8Array([9]));
    expect(messages).toEqual(['saved 9']);
  });

  it('saves in the folder by steps or by seconds, each step once', async () => {
    const { said: messages, run } = made({ saveSteps: 5, saveSeconds: 20 });
    await run(4, 15);
    await run(5, 21); // both are due
    await run(6, 30);
    await run(7, 42);
    await run(7, 43, true);
    expect(messages).toEqual(['saved 5', 'saved 7']);
  });

  it('takes at most a fiftieth of the time for saving by the clock', async () => {
    const { said: messages, run } = made({ saveSeconds: 1 });
    await run(1, 2); // takes 0.1 s: the next is due 5 s after it
    await run(2, 7);
    await run(3, 7.2);
    expect(messages).toEqual(['saved 1', 'saved 3']);
  });

  it('warns about a folder that cannot be written, saves the snapshot in memory, and fails only at the end', async () => {
    let full = true;
    const {
      keeper,
      files,
      memory,
      said: messages,
      run,
    } = made({ saveSteps: 2 }, (place) => full && place.files !== spare());
    const spare = () => memory;
    await run(2, 1);
    expect(messages).toEqual(['failed no room']);
    expect(keeper.last?.files).toBe(memory);
    expect(await memory.read('out/step')).toEqual(new Uint8Array([2]));
    await expect(run(3, 2, true)).rejects.toThrow(errorAbout({ template: 'no room' }));
    expect(await memory.read('out/step')).toEqual(new Uint8Array([3]));
    full = false;
    await run(4, 3);
    expect(await files.read('out/step')).toEqual(new Uint8Array([4]));
    expect(await memory.exists('out/step')).toBe(false);
  });
});
