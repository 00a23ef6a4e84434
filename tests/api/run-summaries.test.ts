// heddle runs: the settings that differ between runs, and the numbers of their logs.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runMetrics } from '../../src/api/run-summaries.ts';
import { runs } from '../../src/commands/jobs/runs-job.ts';
import { runJob } from '../../src/commands/remote/run-job.ts';
import { runsReport } from '../../src/commands/runs-report.ts';
import { describeRuns } from '../../src/commands/runs-table.ts';
import { features } from '../../src/features/features.ts';
import { archiveFiles } from '../../src/files/archive-files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { allMetrics, mainMetrics } from '../../src/text/metrics/main-metrics.ts';
import type { Metric } from '../../src/text/metrics/metric.ts';
import { formatLog, type LogRecord } from '../../src/train/report/training-log.ts';
import { heddle } from '../support/cli.ts';
import { errorAbout } from '../support/expect-error.ts';
import { jobs } from '../support/jobs.ts';
import { testSession } from '../support/session.ts';
import { tinyCorpus, tinyTraining } from '../support/training.ts';
import { start, step } from '../train/report/example.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-runs-'));
const at = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  writeFileSync(at('pairs.tsv'), tinyCorpus);
  const corpus = { kind: 'tsv', path: at('pairs.tsv') } as const;
  const run = (name: string, fields: object) =>
    runJob(
      jobs.train,
      { ...tinyTraining({ evalSteps: 2, devSentences: 4, ...fields }), corpus, out: at(name) },
      { host: 'cpu' },
    );
  await run('a', { steps: 4 });
  await run('b', { steps: 3, learningRate: 0.02, model: { ...tinyTraining().model, feedForward: 24 } });
});

it('prints the settings that differ, and no others, with steps, metrics, time and adapter', async () => {
  const { status, stdout, stderr } = await heddle(['runs', folder]);
  expect([status, stderr]).toEqual([0, '']);
  const [head = '', a = '', b = '', ...rest] = stdout.split('\n');
  const columns = (line: string) => line.split(/ {2,}/);
  expect(columns(head)).toEqual([
    ...['run', 'model.feedForward', 'learningRate', 'steps', 'state'],
    ...mainMetrics.map((metric: Metric) => metric.short ?? metric.label),
    ...['time', 'tokens/s', 'MFU'],
  ]);
  expect(columns(a).slice(0, 5)).toEqual([at('a'), '16', '0.01', '4', 'done']);
  expect(columns(b).slice(0, 5)).toEqual([at('b'), '24', '0.02', '3', 'done']);
  expect(columns(a).at(-1)).toBe('–');
  expect(rest).toEqual(['', '@: step of the best evaluation', '', 'all on cpu', '']);
  const json = JSON.parse((await heddle(['runs', at('b'), `${at('a')}/`, '--json'])).stdout);
  expect(json.map((run: { folder: string }) => run.folder)).toEqual([at('b'), at('a')]);
  expect(json[1]).toMatchObject({
    settings: { learningRate: 0.01, 'model.feedForward': 16 },
    step: 4,
    mfu: null,
  });
});

/** Summaries of logs in memory. */
async function summaries(logs: Record<string, readonly LogRecord[]>, folders = Object.keys(logs)) {
  const entries = Object.entries(logs).map(
    ([name, records]) => [`${name}/log.jsonl`, new TextEncoder().encode(formatLog(records))] as const,
  );
  const files = memoryFiles(new Map(entries));
  return runs({ folders }, testSession({ device: 'cpu', files }));
}

it('compares runs of different vocabularies by the loss per character', async () => {
  const { corpus } = start();
  const log = (targetVocabulary: number, devCharactersPerToken: number | undefined, loss: number) => [
    start({ corpus: { ...corpus, targetVocabulary, devCharactersPerToken } }),
    step(1),
    { type: 'eval', step: 1, part: 'dev', loss, seconds: 1 } as const,
  ];
  const found = await summaries({ a: log(8000, 4, 6), b: log(1000, 2, 4), old: log(1000, undefined, 4) });
  expect(found.map((run) => run.lossPerCharacter)).toEqual([1.5, 2, null]);
  const page = runsReport(found);
  for (const part of ['compare loss/char', '<th>loss/char</th>', '<td class="number">1.5000</td>'])
    expect(page).toContain(part);
});

it('shows dev pairs that differ, and keeps seeds with other dev pairs apart', async () => {
  const { corpus, arguments: args } = start();
  const log = (dev: string, seed: number) => [
    start({
      corpus: { ...corpus, dev: 80 },
      arguments: {
        ...(args as object),
        seed,
        corpus: { kind: 'files', dev: { files: [`/data/${dev}.tsv`] } },
      },
    }),
    step(1),
    { type: 'eval', step: 1, part: 'dev', loss: 2, seconds: 1 } as const,
  ];
  const found = await summaries({ a: log('x', 1), b: log('x', 2), c: log('y', 3) });
  expect(found.map((run) => run.settings['dev pairs'])).toEqual(['x.tsv (80)', 'x.tsv (80)', 'y.tsv (80)']);
  expect(found.map((run) => run.seeds?.count)).toEqual([2, 2, undefined]);
  expect(runsReport(found)).toContain('different dev pairs');
});

it('takes the best value of each metric, the time of all sessions and the mean utilization', async () => {
  const evaluation = (number: number, loss: number, bleu: number) =>
    ({ type: 'eval', step: number, part: 'dev', loss, bleu, seconds: 1 }) as const;
  const [run] = await summaries({
    x: [
      start({ steps: 3 }),
      step(1, { seconds: 1, tokens: 100, mfu: 0.2 }),
      evaluation(1, 2, 10),
      step(2, { seconds: 2, tokens: 100, mfu: 0.4 }),
      evaluation(2, 1, 9),
      start({ steps: 5, step: 1 }),
      step(2, { seconds: 3, tokens: 100, mfu: 0.3 }),
      { ...evaluation(2, 3, 30), part: 'test' },
      evaluation(2, 1.5, Number.NaN),
    ],
  });
  expect(run).toMatchObject({
    settings: {},
    step: 2,
    steps: 5,
    state: 'unfinished',
    seconds: 4,
    tokensPerSecond: 50,
  });
  expect(run?.best).toEqual({ loss: { value: 1.5, step: 2 }, bleu: { value: 10, step: 1 } });
  expect(run?.mfu).toBeCloseTo(0.25, 10);
});

it('shows the error rates of models of speech, of which the least is the best', async () => {
  const evaluation = (number: number, wer: number) =>
    ({ type: 'eval', step: number, part: 'dev', wer, cer: wer / 2, seconds: 1 }) as const;
  const found = await summaries({
    a: [start({ steps: 2 }), step(1), evaluation(1, 0.25), step(2), evaluation(2, 0.5)],
    b: [start({ steps: 2 }), step(1), evaluation(1, 0.4)],
  });
  expect(found.map(({ best }) => best.wer)).toEqual([
    { value: 0.25, step: 1 },
    { value: 0.4, step: 1 },
  ]);
  expect(runMetrics(found, allMetrics(features.metrics)).map(({ label }) => label)).toEqual(['WER', 'CER']);
  expect(describeRuns(found)).toContain('25.0 % @1');
  expect(runsReport(found)).toContain('<td class="number best">25.0 % @1</td>');
});

it('names a folder without a log', async () => {
  await expect(summaries({ x: [start()] }, ['y'])).rejects.toThrow(errorAbout({ area: 'y' }));
  await expect(runJob(jobs.runs, { folders: [at('.')] }, { host: 'cpu' })).resolves.toHaveLength(2);
  const { status, stderr } = await heddle(['runs', at('pairs.tsv')]);
  expect([status, stderr]).toEqual([
    1,
    `heddle: ${at('pairs.tsv')}: there is no training log; name a folder that heddle train has written\n`,
  ]);
});

it('leaves out a damaged log with a warning, unless it is the only one', async () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  const files = memoryFiles(
    new Map([
      ['a/log.jsonl', encode(formatLog([start(), step(1)]))],
      ['b/log.jsonl', encode('not a log\n')],
    ]),
  );
  const said: string[] = [];
  const session = testSession({
    device: 'cpu',
    files,
    onEvent: (event) => void (event.type === 'warning' && said.push(event.text)),
  });
  expect((await runs({ folders: ['a', 'b'] }, session)).map(({ folder }) => folder)).toEqual(['a']);
  expect(said).toEqual(['left out: b/log.jsonl: line 1 is not JSON; is this a log of heddle train?']);
  await expect(runs({ folders: ['b'] }, session)).rejects.toThrow(
    errorAbout({ values: ['b/log.jsonl: line 1'] }),
  );
  // An archive of a folder that is no archive.
  said.length = 0;
  const all = memoryFiles(
    new Map([
      ['r/a/log.jsonl', encode(formatLog([start(), step(1)]))],
      ['r/bad.zip', encode('PK')],
    ]),
  );
  const other = testSession({
    device: 'cpu',
    files: archiveFiles(all),
    onEvent: (event) => void (event.type === 'warning' && said.push(event.text)),
  });
  expect((await runs({ folders: ['r'] }, other)).map(({ folder }) => folder)).toEqual(['r/a']);
  expect(said).toEqual([expect.stringMatching(/^left out: r\/bad\.zip: not a zip archive/)]);
});
