// The room on the disk for a student, before its teacher translates.
import { expect, it } from 'vitest';
import { checkStudentRoom } from '../../../src/features/corpora/distill.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { saveModelFolder } from '../../../src/formats/save-heddle.ts';
import type { JobEvent } from '../../../src/train/report/training-events.ts';
import type { TrainSettings } from '../../../src/train/settings/train-settings.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { letterModel } from '../../support/saved-model.ts';
import { testSession } from '../../support/session.ts';

const texts = Array.from({ length: 500 }, (_, i) => `the ${i} dog sees ${500 - i} cats`);
const settings: TrainSettings = { preset: 'tiny', tokenizer: 'word' };

/** Checks the room on a disk with some free bytes; returns the warnings. */
async function warnings(
  free: number,
  { files = memoryFiles(), replaced = [] as string[], changed = {} as TrainSettings } = {},
): Promise<string[]> {
  const events: JobEvent[] = [];
  const disk = { ...files, free: async () => free };
  const session = testSession({ files: disk, device: 'cpu', onEvent: (event) => void events.push(event) });
  await checkStudentRoom({ ...settings, ...changed }, 'student', texts, replaced, session);
  return events.flatMap((event) => (event.type === 'warning' ? [event.text] : []));
}

it('refuses a disk without room for the student and its data, and warns if there is little', async () => {
  await expect(warnings(100_000)).rejects.toThrow(errorAbout({ kind: 'quota', area: 'student' }));
  expect(await warnings(8e6)).toEqual([
    expect.stringMatching(/^student: little room .* replacing it needs both$/),
  ]);
  expect(await warnings(1e9)).toEqual([]);
  expect(await warnings(8e6, { changed: { vocabSize: 50, model: { dModel: 8, heads: 1 } } })).toEqual([]);
});

it('counts the room of what is replaced, and the size of the model that a student starts from', async () => {
  const files = memoryFiles();
  const extra = { 'notes.bin': new Uint8Array(1e8) };
  await saveModelFolder(files, 'student', letterModel(), extra);
  expect(await warnings(100_000, { files, replaced: ['student'] })).toEqual([]);
  await saveModelFolder(files, 'start', letterModel());
  const changed = { init: 'start', preset: undefined, tokenizer: undefined };
  expect(await warnings(2e6, { files, changed })).toEqual([]);
});
