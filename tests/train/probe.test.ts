// The probe of a run: recorded within its share of the time, saved with the run, and nothing of the training changes.
import { expect, it, vi } from 'vitest';
import { writeText } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { dawnGpu } from '../../src/host/dawn.ts';
import { historyOf, type LogProbe, parseLog } from '../../src/report/training-log.ts';
import { createContext } from '../../src/runtime/job-context.ts';
import { runTraining } from '../../src/train/recovery.ts';
import type { TrainArguments } from '../../src/train/train-arguments.ts';
import { tinyCorpus, tinyTraining } from '../support/training.ts';

vi.setConfig({ testTimeout: 240_000 });

const files = memoryFiles();

async function run(fields: Partial<TrainArguments>) {
  await writeText(files, 'pairs.tsv', tinyCorpus);
  const probes: LogProbe[] = [];
  const { context, close } = createContext({
    host: 'Dawn',
    files,
    emit: (event) => void (event.type === 'probe' && probes.push(event)),
    signal: new AbortController().signal,
    openGpu: dawnGpu,
  });
  const begin = performance.now();
  const result = await runTraining(tinyTraining(fields), context);
  await close();
  return { probes, ...result, ms: performance.now() - begin };
}

it('records the pinned pair before the first step, while the model learns and at the end, and saves it', async () => {
  const probe = 'one two xx\tuno dos.';
  const off = await run({ out: 'off', steps: 20 });
  const on = await run({ out: 'on', steps: 20, probe, probeSteps: 5 });
  expect(on.losses).toEqual(off.losses); // bit for bit
  expect(off.probes).toEqual([]);
  expect(on.probes.map(({ step }) => step)).toEqual(expect.arrayContaining([0, 20]));
  expect(on.probes.every(({ step }) => step % 5 === 0)).toBe(true);
  const [first] = on.probes as [LogProbe];
  expect(first.source).toEqual(['one', 'two', 'xx', '[end]']);
  expect(first.target).toEqual(['[start]', 'uno', 'dos', '.']);
  expect(first.attention.map(({ kind, heads }) => [kind, heads])).toEqual([
    ['encoder', 2],
    ['decoder', 2],
    ['cross', 2],
  ]);
  const weights = Buffer.from(first.attention[1]!.weights, 'base64'); // [2, 4, 4]
  expect(weights).toHaveLength(2 * 4 * 4);
  expect([...weights.subarray(0, 4)]).toEqual([255, 0, 0, 0]); // the start token sees only itself
  expect(first.next).toHaveLength(4);
  expect(first.next[0]).toHaveLength(5);
  expect(on.probes.at(-1)!.next).not.toEqual(first.next);
  // Saved with the run, and continued by a resumed one.
  const more = await run({ out: 'on', steps: 25, resume: true, probeSteps: 5 });
  const saved = historyOf(parseLog(new TextDecoder().decode(await files.read('on/log.jsonl')))).probes;
  expect(saved.map(({ step }) => step)).toEqual([
    ...on.probes.map(({ step }) => step),
    ...more.probes.map(({ step }) => step).filter((step) => step > 20),
  ]);
  expect(saved[0]).toEqual(first);
});

it('takes a dev pair of about ten tokens, and says how a probe is given', async () => {
  const { probes } = await run({ steps: 1, probe: 'dev' });
  expect(probes[0]!.source.length).toBeGreaterThan(2);
  await expect(run({ steps: 1, probe: 'no tab' })).rejects.toThrow('must be a source, a tab and a target, or dev');
});

it('records less often if it would take more than 3 % of the time', async () => {
  const { probes } = await run({ steps: 60, probe: 'one\tuno', probeSteps: 1 });
  expect(probes.length).toBeGreaterThan(1);
  expect(probes.length).toBeLessThan(60);
});
