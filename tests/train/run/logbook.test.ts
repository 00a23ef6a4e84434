// The log of a long run stays small: older updates are thinned out, all other records are kept.
import { expect, it } from 'vitest';
import { type LogRecord, type LogStart, parseLog } from '../../../src/train/report/training-log.ts';
import { Logbook } from '../../../src/train/run/logbook.ts';

const head: Omit<LogStart, 'type' | 'format' | 'version' | 'heddle' | 'time'> = {
  step: 0,
  steps: 1000,
  stepsPerEpoch: 10,
  backend: 'cpu',
  seed: 1,
  parameters: 1,
  preset: 'tiny',
  config: {},
  recipe: {},
  corpus: {
    name: 'pairs.tsv',
    pairs: 1,
    skipped: 0,
    dev: 0,
    test: 0,
    tokenizer: 'word',
    sourceVocabulary: 5,
    targetVocabulary: 5,
    sourceLength: 1,
    targetLength: 1,
  },
  arguments: {},
};
const update = (step: number) => ({
  step,
  loss: 1 / (step + 1),
  accuracy: 0,
  tokens: 10,
  learningRate: 0.1,
  gradientNorm: 1,
  skipped: false,
  lossScale: 0,
  modelFlops: 2e9,
});

it('keeps at most maxSteps updates, the newest in full, and reports each once', async () => {
  const told: LogRecord[] = [];
  const logbook = new Logbook([], head, { onRecord: (r) => told.push(r), maxSteps: 40 });
  for (let step = 0; step < 1000; step++) {
    logbook.step(update(step), step / 10);
    if (step % 100 === 99) logbook.add({ type: 'eval', step: step + 1, part: 'dev', loss: 1, seconds: 0 });
  }
  const kept = parseLog(new TextDecoder().decode((await logbook.files())['log.jsonl']));
  const steps = kept.flatMap((r) => (r.type === 'step' ? [r.step] : []));
  expect(steps.length).toBeLessThanOrEqual(40);
  expect(steps.slice(-20)).toEqual(Array.from({ length: 20 }, (_, i) => 981 + i));
  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  // The older ones lie evenly, from the first on.
  expect(steps[0]).toBe(1);
  const older = steps.slice(1, -20);
  expect(Math.max(...older.slice(1).map((step, i) => step - (older[i] as number)))).toBeLessThanOrEqual(128);
  expect(kept.filter((r) => r.type === 'eval')).toHaveLength(10);
  expect(kept[0]?.type).toBe('start');
  expect(told.filter((r) => r.type === 'step')).toHaveLength(1000);
});

it('keeps all updates by default', async () => {
  const logbook = new Logbook([], head);
  for (let step = 0; step < 100; step++) logbook.step(update(step), step);
  expect(parseLog(new TextDecoder().decode((await logbook.files())['log.jsonl']))).toHaveLength(101);
});

it('logs the model FLOPs utilization over the last updates once the peak of the adapter is known', async () => {
  let peak: number | undefined;
  const logbook = new Logbook([], head, { peakGflops: () => peak });
  logbook.step(update(0), 1);
  peak = 10;
  logbook.step(update(1), 2);
  for (let step = 2; step < 40; step++) logbook.step(update(step), 2 + (step - 1) / 2);
  const steps = parseLog(new TextDecoder().decode((await logbook.files())['log.jsonl'])).flatMap((r) =>
    r.type === 'step' ? [r] : [],
  );
  // 2 GFLOP a step of 1 s, and later of half a second, at 10 GFLOP/s.
  expect(steps.map((s) => s.mfu).slice(0, 2)).toEqual([undefined, 0.2]);
  expect(steps.at(-1)?.mfu).toBe(0.4);
});
