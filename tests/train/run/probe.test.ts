// The probe of a run: recorded within its share of the time, saved with the run, and nothing of the training
// changes.

import { afterEach, describe, expect, it, vi } from 'vitest';
import { Inspector } from '../../../src/decode/inspector.ts';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import { writeText } from '../../../src/files/files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { dawnGpu } from '../../../src/host/dawn.ts';
import { writeWeights } from '../../../src/model/model-states.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { historyOf, type LogProbe, parseLog } from '../../../src/train/report/training-log.ts';
import { Probe } from '../../../src/train/run/probe.ts';
import { runTraining } from '../../../src/train/run/recovery.ts';
import type { TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { itInFull } from '../../support/in-full.ts';
import { letterModel } from '../../support/saved-model.ts';
import { testSession } from '../../support/session.ts';
import { fragileGpu, tinyCorpus, tinyTraining } from '../../support/training.ts';

const files = memoryFiles();

afterEach(() => vi.restoreAllMocks());

/**
 * Trains with a clock that adds a second per update and almost nothing else, so that records take no time.
 */
async function run(fields: Partial<TrainArguments>) {
  await writeText(files, 'pairs.tsv', tinyCorpus);
  const probes: LogProbe[] = [];
  const shaders: string[] = [];
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 1e-3;
    return now;
  });
  const session = testSession({
    files,
    onEvent(event) {
      if (event.type === 'probe') probes.push(event);
      if (event.type === 'step') now += 1000;
    },
    gpu: async () => fragileGpu(await dawnGpu(), (name) => shaders.push(name)).gpu,
  });
  const { result } = await runTraining(tinyTraining(fields), session);
  await session.close();
  return { probes, shaders, ...result };
}

it('records the probe pair before the first step, during training and at the end, and saves it', async () => {
  const probe = 'one two xx\tuno dos.';
  const without = await run({ out: 'off', steps: 20 });
  const withProbe = await run({ out: 'on', steps: 20, probe, probeSteps: 5 });
  expect(withProbe.losses).toEqual(without.losses); // bit for bit
  expect(without.probes).toEqual([]);
  expect(withProbe.probes.map(({ step }) => step)).toEqual([0, 5, 10, 15, 20]);
  const [first] = withProbe.probes as [LogProbe];
  expect(first.source).toEqual(['▁one', '▁two', '▁xx', '[end]']);
  expect(first.target).toEqual(['[start]', '▁uno', '▁dos', '.']);
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
  expect(withProbe.probes.at(-1)!.next).not.toEqual(first.next);
  // Saved with the run, and continued by a resumed one.
  const more = await run({ out: 'on', steps: 25, resume: true, probeSteps: 5 });
  const saved = historyOf(parseLog(new TextDecoder().decode(await files.read('on/log.jsonl')))).probes;
  expect(saved.map(({ step }) => step)).toEqual([
    ...withProbe.probes.map(({ step }) => step),
    ...more.probes.map(({ step }) => step).filter((step) => step > 20),
  ]);
  expect(saved[0]).toEqual(first);
});

it('marks pieces of words that begin a word', async () => {
  const probe = 'one two\tuno dos.';
  const { probes } = await run({ steps: 1, probe, tokenizer: 'bpe', vocabSize: 40 });
  const [{ source, target }] = probes as [LogProbe];
  expect(source.join('')).toBe('▁one▁two[end]');
  expect(target.join('')).toMatch(/^\[start\]▁uno▁dos/);
});

itInFull('takes a dev pair of several tokens, and rejects a probe without a tab', async () => {
  const { probes } = await run({ steps: 1, probe: 'dev' });
  expect(probes[0]!.source.length).toBeGreaterThan(2);
  await expect(run({ steps: 1, probe: 'no tab' })).rejects.toThrow(
    errorAbout({ area: 'train', options: ['probe'], values: ['"no tab"'] }),
  );
});

describe('the time budget of a probe', () => {
  const { config, source, target, weights } = letterModel();
  /**
   * A probe of a training on the CPU that does an update per second; a record takes what `costs` returns, in
   * seconds.
   */
  async function train(costs: (record: number) => number, steps: number, every = 1) {
    const engine = cpuEngine();
    const parameters = parameterList(config);
    await Inspector.open(engine, config, parameters, { source: 8, target: 8 }); // makes the state of the weights
    writeWeights(engine, config, parameters, weights);
    const records: LogProbe[] = [];
    let [now, step, calls] = [0, 0, 0];
    const pause = await Probe.open(engine, { config, source, target }, parameters, {
      probe: 'bad\tabc',
      every,
      dev: [],
      train: [],
      step: () => step,
      now: () => now,
      async onModel(work) {
        now += 1000 * costs(calls++);
        return work();
      },
      onRecord: (record) => void records.push(record),
    });
    for (step = 1; step < steps; step++) if (pause.due(step)) await pause.pause(0, false, step);
    await pause.pause(0, true, steps);
    return { records, steps: records.map((record) => record.step) };
  }
  const share = (costs: (record: number) => number, records: number, seconds: number) =>
    Array.from({ length: records }, (_, i) => costs(i + 1)).reduce((a, b) => a + b) / seconds;

  it.each<[string, (record: number) => number]>([
    ['equal', () => 0.5],
    ['falling', (n) => 2 / (1 + n)],
    ['uneven', (n) => [0.1, 0.3, 0.2][n % 3] as number],
    ['with a long one', (n) => (n === 5 ? 1 : 0.1)],
  ])('is at most its share of the training time, the last record included: %s costs', async (_, costs) => {
    const { records, steps } = await train(costs, 200);
    expect(steps[0]).toBe(0);
    expect(steps.at(-1)).toBe(200);
    const total = share(costs, records.length, 200);
    expect(total).toBeLessThanOrEqual(0.03);
    expect(total).toBeGreaterThan(0.01); // the share is used
    expect(records.at(-1)?.share).toBeCloseTo(total, 3);
    expect(records[0]?.share).toBe(0);
  });

  it('does not count the first run, which compiles', async () => {
    expect((await train((n) => (n === 0 ? 1000 : 0.001), 20)).steps).toHaveLength(21);
  });

  it('leaves out the last record of a training that is too short for it', async () => {
    expect((await train(() => 1, 99)).steps).toEqual([0]);
    expect((await train(() => 1, 101)).steps).toEqual([0, 101]);
  });

  it('records every N steps', async () => {
    expect((await train(() => 0.001, 25, 10)).steps).toEqual([0, 10, 20, 25]);
  });
});

itInFull('runs nothing if it is off', async () => {
  const names = async (fields: Partial<TrainArguments>) => (await run({ steps: 3, ...fields })).shaders;
  const probed = { probe: 'one\tuno' };
  expect(await names(probed)).toContain('attention-weights.attention_weights');
  for (const options of [{}, { ...probed, probeSteps: 0 }]) {
    const shaders = await names(options);
    expect(shaders.length).toBeGreaterThan(5);
    expect(shaders.filter((name) => name.startsWith('attention-weights'))).toEqual([]);
  }
});
