// A training as the page's worker runs it, on Dawn: what it tells, in which order, and when it counts as started.
import { expect, it, vi } from 'vitest';
import type { SessionEvent } from '../../demo/train/protocol.ts';
import { startTraining } from '../../demo/train/training.ts';
import { writeText } from '../../src/formats/files.ts';
import { memoryFiles } from '../../src/formats/memory-files.ts';
import { dawnGpu } from '../../src/host/dawn.ts';
import { createContext } from '../../src/jobs/context.ts';
import { fragileGpu, tinyCorpus, tinyTraining } from '../support/training.ts';

vi.setConfig({ testTimeout: 120_000 });

it('starts on a new device where its first one is lost while it prepares', async () => {
  const fragile = fragileGpu(await dawnGpu());
  const files = memoryFiles();
  await writeText(files, 'pairs.tsv', tinyCorpus);
  const told: SessionEvent[] = [];
  const training = startTraining('m', tinyTraining({ steps: 2, out: 'models/m' }), files, {
    tell: (event) => void told.push(event),
    memory: () => ({ buffers: 0, bytes: 0, made: 0 }),
    context(live, signal, own) {
      const openGpu = async () => fragile.gpu;
      const { context, close } = createContext({ host: 'Dawn', files: own, emit() {}, signal, openGpu, live });
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
  const states = told.flatMap((event) => (event.type === 'state' ? [event.state] : []));
  expect(states).toEqual(['preparing', 'recovering', 'training', 'done']);
  expect(told.filter(({ type }) => type === 'started')).toMatchObject([{ facts: { model: 'm', steps: 2 } }]);
  expect(fragile.devices).toBe(2);
});
