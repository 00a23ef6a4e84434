// A disk that is nearly full: the estimate before a run, and what is saved at its end.

import { expect, it } from 'vitest';
import { trainRun } from '../../../src/api/train-in-session.ts';
import { HeddleError } from '../../../src/core/errors.ts';
import type { Files } from '../../../src/files/files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { settledFolder } from '../../../src/files/settled-folder.ts';
import { verifyFolder } from '../../../src/files/verified-files.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import type { JobEvent } from '../../../src/train/report/training-events.ts';
import type { TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import { errorAbout, expectError } from '../../support/expect-error.ts';
import { testSession } from '../../support/session.ts';
import { tinyCorpus, tinySizes, tinyTraining } from '../../support/training.ts';

/** A model whose weights, 170 kB, are larger than its report. */
const sizes = { ...tinySizes, dModel: 32, feedForward: 128 };

/** A disk of `size` bytes. `knows`: whether it tells how many are free. */
class SmallDisk {
  readonly entries = new Map([['pairs.tsv', new TextEncoder().encode(tinyCorpus)]]);
  size = Number.POSITIVE_INFINITY;
  readonly files: Files;

  constructor(knows: boolean) {
    const memory = memoryFiles(this.entries);
    this.files = {
      ...memory,
      write: async (path, bytes) => {
        if (this.used + bytes.length > this.size)
          throw new HeddleError(`${path}: cannot write: no space is left on the disk`, { kind: 'quota' });
        await memory.write(path, bytes);
      },
      free: async () => (knows ? this.size - this.used : undefined),
    };
  }

  get used(): number {
    return [...this.entries.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Bytes of a file. */
  sizeOf(path: string): number {
    return this.entries.get(path)?.length ?? Number.NaN;
  }

  async train(
    fields: Partial<TrainArguments>,
    onEvent?: (event: JobEvent) => void,
  ): Promise<{ events: readonly JobEvent[]; out: string }> {
    const events: JobEvent[] = [];
    const session = testSession({
      files: this.files,
      device: 'cpu',
      onEvent: (event) => {
        events.push(event);
        onEvent?.(event);
      },
    });
    const { out } = await trainRun(tinyTraining({ steps: 2, out: 'run', model: sizes, ...fields }), session);
    return { events, out };
  }
}

const warnings = (events: readonly JobEvent[]) =>
  events.flatMap((event) => (event.type === 'warning' ? [event.text] : []));

/** The bytes of a run on an empty disk. */
async function measured(): Promise<{ model: number; whole: number }> {
  const disk = new SmallDisk(false);
  const before = disk.used;
  await disk.train({});
  return { model: disk.sizeOf('run/model.safetensors'), whole: disk.used - before };
}

it('warns before the start if the disk has little room, and refuses if not even the model fits', async () => {
  const { model, whole } = await measured();
  const disk = new SmallDisk(true);
  disk.size = disk.used + whole + 100_000;
  const { events } = await disk.train({});
  expect(warnings(events)).toEqual([
    expect.stringMatching(
      /^run: little room on the disk: a checkpoint takes about [\d.]+ KiB, the model [\d.]+ KiB, [\d.]+ KiB are free; /,
    ),
  ]);
  const small = new SmallDisk(true);
  small.size = small.used + model;
  await expect(small.train({})).rejects.toThrow(errorAbout({ kind: 'quota', area: 'run' }));
  expect([...small.entries.keys()]).toEqual(['pairs.tsv']);
  const large = new SmallDisk(true);
  large.size = 1e9;
  expect(warnings((await large.train({})).events)).toEqual([]);
});

it('saves the model alone at the end if the checkpoint does not fit', async () => {
  const { model } = await measured();
  const disk = new SmallDisk(false);
  disk.size = disk.used + model + 30_000; // with its configuration and tokenizers
  const rest = disk.used;
  const { events, out } = await disk.train({ steps: 3, saveSteps: 1 });
  const alone = disk.entries.has('run/model.safetensors');
  expect(warnings(events).join('\n')).toMatch(/only the model is saved, in run; the run cannot be resumed/);
  expect([out, alone, disk.entries.has('run/optimizer.safetensors')]).toEqual(['run', true, false]);
  expect(disk.used).toBeGreaterThan(rest);
  await verifyFolder(disk.files, await settledFolder(disk.files, 'run'));
  await expect(loadModelFolder(disk.files, 'run')).resolves.toMatchObject({ config: { dModel: 32 } });
});

it('leaves an earlier checkpoint whole, and saves the model beside it', async () => {
  const disk = new SmallDisk(false);
  await disk.train({ steps: 2 });
  const before = new Map([...disk.entries].filter(([path]) => path.startsWith('run/')));
  disk.size = disk.used + disk.sizeOf('run/model.safetensors') + 30_000;
  const { out, events } = await disk.train({ steps: 3, resume: true });
  expect(out, warnings(events).join('\n')).toBe('run.model');
  await expect(loadModelFolder(disk.files, 'run.model')).resolves.toMatchObject({ config: { dModel: 32 } });
  for (const [path, bytes] of before) expect(disk.entries.get(path), path).toBe(bytes);
  await verifyFolder(disk.files, 'run');
  expect([...disk.entries.keys()].filter((path) => path.includes('.heddle-'))).toEqual([]);
});

it('counts the tokenizers in its estimate', async () => {
  const unigram = { tokenizer: 'unigram', vocabSize: 300 } as const;
  const disk = new SmallDisk(true);
  disk.size = 1e9;
  const before = disk.used;
  await disk.train(unigram);
  const whole = disk.used - before;
  const small = new SmallDisk(true);
  small.size = small.used + whole - 100_000; // the estimate has 200 kB for log and report
  const [text = ''] = warnings((await small.train(unigram)).events);
  const [, estimate] = / ([\d.]+) MiB/.exec(text) ?? [];
  expect(Number(estimate) * 2 ** 20).toBeGreaterThan(whole);
  expect(Number(estimate) * 2 ** 20).toBeLessThan(whole + 300_000);
});

it('reports why a run failed first if run.failed has files of the user', async () => {
  const disk = new SmallDisk(false);
  disk.entries.set('run.failed/log.jsonl', new TextEncoder().encode('mine'));
  const run = disk.train({ saveSteps: 0, saveSeconds: 0 }, ({ type }) => {
    if (type === 'step') disk.entries.set('run/config.json', new TextEncoder().encode('mine'));
  });
  const { message } = await expectError(() => run, {
    area: 'run',
    values: ['config.json', 'run.failed', 'log.jsonl'],
  });
  expect(message).toMatch(/its log and report were not saved: run\.failed: /);
  expect(new TextDecoder().decode(disk.entries.get('run.failed/log.jsonl'))).toBe('mine');
});

it('saves the whole checkpoint beside a folder that cannot be written at the end', async () => {
  const disk = new SmallDisk(false);
  const run = disk.train({ saveSteps: 0, saveSeconds: 0 }, ({ type }) => {
    if (type === 'step') disk.entries.set('run/config.json', new TextEncoder().encode('mine'));
  });
  const { message } = await expectError(() => run, { area: 'run', values: ['config.json', 'run.failed'] });
  expect(message).toMatch(/the checkpoint is in run\.failed.*its log and report are in run\.failed/);
  await verifyFolder(disk.files, 'run.failed');
  expect(new TextDecoder().decode(disk.entries.get('run/config.json'))).toBe('mine');
  const { out } = await disk.train({ out: 'run.failed', resume: true, steps: 4 });
  expect(out).toBe('run.failed');
});
