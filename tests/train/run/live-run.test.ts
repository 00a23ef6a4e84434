// Settings that change during a run: by hand, repeated by the setting `changes`, after a lost device and
// after a resume, always with the same bits; recorded in log, report and the table of runs.

import { expect, it } from 'vitest';
import { summarizeRuns } from '../../../src/api/run-summaries.ts';
import { writeText } from '../../../src/files/files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { dawnGpu } from '../../../src/host/dawn.ts';
import type { LiveSettings } from '../../../src/train/report/run-changes.ts';
import { historyOf, type LogRecord, parseLog } from '../../../src/train/report/training-log.ts';
import { trainingReport } from '../../../src/train/report/training-report.ts';
import { dropoutRates } from '../../../src/train/run/live-run.ts';
import type { RunningTraining } from '../../../src/train/run/loop.ts';
import { runTraining } from '../../../src/train/run/recovery.ts';
import type { TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { itInFull } from '../../support/in-full.ts';
import { testSession } from '../../support/session.ts';
import { fragileGpu, tinyCorpus, tinyTraining } from '../../support/training.ts';

const files = memoryFiles();

/** Trains; `byHand` are changes after steps, and the device is lost after a step. */
async function run(
  fields: Partial<TrainArguments>,
  { byHand = {}, loseAfter = -1 }: { byHand?: Record<number, LiveSettings>; loseAfter?: number } = {},
) {
  await writeText(files, 'pairs.tsv', tinyCorpus);
  const fragile = fragileGpu(await dawnGpu());
  const records: LogRecord[] = [];
  const failures: string[] = [];
  const messages: string[] = [];
  let running: RunningTraining | undefined;
  let lose = loseAfter;
  const session = testSession({
    files,
    onEvent(event) {
      if (event.type === 'message') messages.push(event.text);
      if (event.type === 'step' || event.type === 'change' || event.type === 'eval') records.push(event);
      if (event.type !== 'step' || event.step !== lose) return;
      lose = -1;
      fragile.lose();
    },
    gpu: async () => fragile.gpu,
  });
  const left = new Map(Object.entries(byHand).map(([step, settings]) => [Number(step), settings]));
  const gate = {
    ready(training: RunningTraining) {
      running = training;
    },
    between() {
      const step = running?.step() ?? 0;
      const settings = left.get(step);
      left.delete(step);
      return (
        settings &&
        (async () => {
          await running?.change({ learningRate: -1 }).catch((error: Error) => failures.push(error.message));
          await running?.change(settings);
        })
      );
    },
    wantsCheckpoint: () => false,
  };
  const { result } = await runTraining(tinyTraining(fields), session, { gate });
  await session.close();
  const changes = records.flatMap(({ type, ...r }) => (type === 'change' ? [r] : []));
  const evals = records.flatMap((r) => (r.type === 'eval' ? [r.step] : []));
  const rates = records.flatMap((r) => (r.type === 'step' ? [r.learningRate] : []));
  return { ...result, changes, evals, rates, failures, messages };
}
const logOf = async (folder: string) =>
  parseLog(new TextDecoder().decode(await files.read(`${folder}/log.jsonl`)));

const text = '4 learningRate=0.002 dropout=0.4; 8 dropout=0 evalSteps=3';

itInFull(
  'keeps the bits of a run that is changed by hand: repeated, on a new device and resumed',
  async () => {
    const fields = { heldOut: 0.1, evalSteps: 2 };
    const plain = await run(fields);
    const byHand = await run(
      { ...fields, out: 'hand', saveSteps: 5 },
      { byHand: { 4: { learningRate: 2e-3, dropout: 0.4 }, 8: { dropout: 0, evalSteps: 3 } }, loseAfter: 10 },
    );
    expect(byHand.failures[0]).toMatch(/^train: learningRate \(-1\) must be a number above 0/);
    expect(byHand.losses.slice(0, 4)).toEqual(plain.losses.slice(0, 4));
    expect(byHand.losses[4]).not.toBe(plain.losses[4]); // other dropout
    expect(byHand.rates).toEqual([...Array(4).fill(1e-2), ...Array(8).fill(2e-3)]);
    expect(byHand.evals).toEqual([2, 4, 6, 8, 9, 12]);
    const changes = [
      { step: 4, learningRate: 2e-3, dropout: 0.4 },
      { step: 8, dropout: 0, evalSteps: 3 },
    ];
    expect(byHand.changes).toEqual(changes);

    const repeated = await run({ ...fields, changes: text });
    expect([repeated.losses, repeated.evals, repeated.changes]).toEqual([
      byHand.losses,
      byHand.evals,
      changes,
    ]);
    const part = await run({ ...fields, changes: text, out: 'part', steps: 6 });
    expect(part.losses).toEqual(byHand.losses.slice(0, 6));
    const rest = await run({ ...fields, out: 'part', resume: true, steps: 12 });
    expect(rest.losses).toEqual(byHand.losses.slice(6));
    expect(rest.rates).toEqual(Array(6).fill(2e-3));

    for (const folder of ['hand', 'part']) {
      const records = await logOf(folder);
      expect(historyOf(records).changes.map(({ type: _, ...change }) => change)).toEqual(changes);
      expect(trainingReport(records)).toContain(
        'Settings were changed during the run: learning rate 0.002 and dropout 0.4 after step 4, dropout 0 and evaluation interval 3 after step 8.',
      );
    }
    await run({ ...fields, out: 'calm', steps: 1 });
    const [hand] = summarizeRuns([
      { folder: 'hand', records: await logOf('hand') },
      { folder: 'calm', records: await logOf('calm') },
    ]);
    expect(hand?.settings.changes).toBe(text);
  },
);

it('names the problem in a list of changes', async () => {
  for (const [changes, expected] of [
    ['soon learningRate=1', { options: ['changes'], values: ['"soon learningRate=1"'] }],
    ['4', { options: ['changes'], values: ['"4"'] }],
    ['4 seed=2', { options: ['seed', 'learningRate', 'dropout', 'evalSteps'] }],
    ['4 dropout=1', { options: ['dropout'], values: [1] }],
    ['4 dropout', { options: ['changes'], values: ['"4 dropout"', 'dropout'] }],
  ] as const)
    await expect(run({ changes }), changes).rejects.toThrow(errorAbout({ area: 'train', ...expected }));
  expect((await run({ changes: '9 dropout=0', steps: 1 })).messages).toContain(
    'changes after the last step, 1, have no effect: 9 dropout=0',
  );
});

it('sets a rate where the run has dropout, or in the usual places', () => {
  const none = { embedding: 0, attention: 0, feedForward: 0, residual: 0, memory: 0, output: 0 };
  expect(dropoutRates({ ...none, output: 0.5 }, 0.1)).toEqual({ ...none, output: 0.1 });
  expect(dropoutRates(none, 0.1)).toEqual({
    ...none,
    embedding: 0.1,
    attention: 0.1,
    feedForward: 0.1,
    residual: 0.1,
  });
});
