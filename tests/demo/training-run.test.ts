// Training runs of the page's worker: order of the events, start, and checkpoints on pause.
import { expect, it, vi } from 'vitest';
import type { SessionEvent } from '../../demo/train/protocol.ts';
import { startTraining } from '../../demo/train/worker/training-run.ts';
import { writeText } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { dawnGpu } from '../../src/host/dawn.ts';
import { createContext } from '../../src/runtime/job-context.ts';
import { readTrainingState } from '../../src/trainer/training-state.ts';
import { fragileGpu, tinyCorpus, tinyTraining } from '../support/training.ts';

vi.setConfig({ testTimeout: 120_000 });

it('starts on a new device if the first one is lost during preparation', async () => {
  const fragile = fragileGpu(await dawnGpu());
  const files = memoryFiles();
  await writeText(files, 'pairs.tsv', tinyCorpus);
  const events: SessionEvent[] = [];
  const training = startTraining('m', tinyTraining({ steps: 2, out: 'models/m' }), files, {
    send: (event) => void events.push(event),
    memory: () => ({ buffers: 0, bytes: 0, made: 0 }),
    context(emit, signal, own) {
      const openGpu = async () => fragile.gpu;
      const { context, close } = createContext({ host: 'Dawn', files: own, emit, signal, openGpu });
      const engine: typeof context.engine = async (options) => {
        const made = await context.engine(options);
        if (fragile.devices === 1) fragile.lose();
        return made;
      };
      return { context: { ...context, engine }, close };
    },
  });
  await training.started;
  await training.ended;
  const states = events.flatMap((event) => (event.type === 'state' ? [event.state] : []));
  expect(states).toEqual(['preparing', 'recovering', 'training', 'done']);
  expect(events.filter(({ type }) => type === 'started')).toMatchObject([{ info: { model: 'm', steps: 2 } }]);
  expect(fragile.devices).toBe(2);
});

it('has a checkpoint when it is paused, even during an evaluation', async () => {
  const files = memoryFiles();
  await writeText(files, 'pairs.tsv', tinyCorpus);
  const args = tinyTraining({ steps: 6, out: 'models/m', evalSteps: 1, devSentences: 1 });
  let paused: Promise<void> | undefined;
  const training = startTraining('m', args, files, {
    send(event) {
      if (event.type === 'evaluation') paused ??= training.pause();
    },
    memory: () => ({ buffers: 0, bytes: 0, made: 0 }),
    context: (emit, signal, own) =>
      createContext({ host: 'cpu', files: own, emit, signal, openGpu: async () => undefined }),
  });
  await vi.waitFor(() => expect(paused).toBeDefined(), { timeout: 30_000 });
  await paused;
  expect((await readTrainingState(files, 'models/m')).step).toBe(training.step);
  await training.stop();
});
