// Training runs of the page's worker: order of the events, start, and checkpoints on pause.

import { afterAll, expect, it, vi } from 'vitest';
import type { AnyModel } from '../../demo/train/guests/train-guests.ts';
import type { SessionEvent } from '../../demo/train/protocol.ts';
import { textModelOf } from '../../demo/train/worker/decode-text.ts';
import { startTraining } from '../../demo/train/worker/worker-run.ts';
import { HeddleError } from '../../src/core/errors.ts';
import { renderMessage } from '../../src/core/message.ts';
import type { TrainOptions } from '../../src/entries/heddle.ts';
import { registerHost } from '../../src/entries/host.ts';
import { type Files, writeText } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { dawnGpu } from '../../src/host/dawn.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { readTrainingState } from '../../src/train/run/training-state.ts';
import { errorAbout } from '../support/expect-error.ts';
import { waitLimit } from '../support/time-limits.ts';
import { fragileGpu, tinyCorpus, tinyTraining } from '../support/training.ts';

afterAll(() => registerHost(nodeHost()));

/** Starts the tiny training as the worker does, on a platform with files in memory. */
async function start(
  options: TrainOptions<AnyModel>,
  send: (event: SessionEvent) => void,
  { gpu, files = memoryFiles() }: { gpu?: GPU; files?: Files } = {},
) {
  await writeText(files, 'pairs.tsv', tinyCorpus);
  registerHost({ gpu: async () => gpu, files });
  const { corpus, out: _, resume: __, ...settings } = tinyTraining();
  const host = { send, memory: () => ({ buffers: 0, bytes: 0, created: 0 }), readLog: async () => [] };
  return { files, training: startTraining('m', corpus, { ...settings, tune: false, ...options }, host) };
}

it('starts on a new device if the first one is lost during preparation', async () => {
  const fragile = fragileGpu(await dawnGpu());
  const events: SessionEvent[] = [];
  const { training } = await start({ steps: 2 }, (event) => void events.push(event), { gpu: fragile.gpu });
  const watch = setInterval(() => {
    if (fragile.devices === 0) return;
    clearInterval(watch);
    fragile.lose();
  }, 1);
  await training.started;
  const model = await training.ended;
  const states = events.flatMap((event) => (event.type === 'state' ? [event.state] : []));
  expect(states).toEqual(['preparing', 'recovering', 'training', 'done']);
  expect(events.filter(({ type }) => type === 'started')).toMatchObject([{ info: { model: 'm' } }]);
  expect(fragile.devices).toBe(2);
  expect(typeof (await textModelOf('m', model!).translate('one two'))).toBe('string');
  model?.dispose();
});

it('translates between two updates, and has a checkpoint when it is paused, even during an evaluation', async () => {
  let paused: Promise<void> | undefined;
  const { training, files } = await start(
    { device: 'cpu', steps: 6, evalSteps: 1, devSentences: 1 },
    (event) => {
      if (event.type === 'evaluation') paused ??= training.pause();
    },
  );
  await vi.waitFor(() => expect(paused).toBeDefined(), { timeout: waitLimit });
  await paused;
  expect((await readTrainingState(files, 'models/m')).step).toBe(training.step);
  const text = await training.use(
    async ({ model, step }) => `${step}: ${await textModelOf('m', model).translate('one two')}`,
  );
  expect(text).toMatch(new RegExp(`^${training.step}: `));
  await training.stop();
});

it('saves on request, whatever warnings come meanwhile', async () => {
  const warnings: string[] = [];
  const { training } = await start({ device: 'cpu', steps: 3, vocabSize: 12 }, (event) => {
    if (event.type === 'warning') warnings.push(renderMessage(event.text));
  });
  await training.save();
  expect(warnings).toContainEqual(expect.stringContaining('are not in the vocabulary'));
  await training.stop();
});

it('says why a checkpoint was not saved, and trains on', async () => {
  const memory = memoryFiles();
  const files: Files = {
    ...memory,
    write: async (path, bytes) => {
      if (path.endsWith('.safetensors')) throw new HeddleError('the disk is full', { kind: 'quota' });
      await memory.write(path, bytes);
    },
  };
  const { training } = await start({ device: 'cpu', steps: 1000 }, () => undefined, { files });
  await expect(training.save()).rejects.toThrow(
    errorAbout({ template: 'The checkpoint was not saved; training continues: {0}' }),
  );
  expect(training.state).toBe('training');
  await training.stop();
});
