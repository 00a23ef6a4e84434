// Output of a training run (log, report, evaluations) and the results of heddle eval on it, on the CPU
// references.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { runJob } from '../../../src/commands/remote/run-job.ts';
import { Translator } from '../../../src/decode/translator.ts';
import { corpusBleu } from '../../../src/text/metrics/bleu.ts';
import { corpusChrf } from '../../../src/text/metrics/chrf.ts';
import type { JobEvent } from '../../../src/train/report/training-events.ts';
import { historyOf, type LogRecord, parseLog } from '../../../src/train/report/training-log.ts';
import { positionOf } from '../../../src/train/run/checkpoints.ts';
import type { TrainResult } from '../../../src/train/run/train-result.ts';
import type { TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import { Trainer } from '../../../src/train/update/trainer.ts';
import { expectError } from '../../support/expect-error.ts';
import { jobs } from '../../support/jobs.ts';
import { tinyCorpus, tinySizes, tinyTraining } from '../../support/training.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-evaluation-'));
const at = (name: string) => join(folder, name);
const text = (name: string) => readFileSync(at(name), 'utf8');

const pairs = tinyCorpus.split('\n');

const args = (fields: Partial<TrainArguments> = {}): TrainArguments =>
  tinyTraining({
    corpus: { kind: 'tsv', path: at('pairs.tsv'), dev: at('dev.tsv') },
    heldOut: 0,
    model: { ...tinySizes, labelSmoothing: 0.1 },
    steps: 6,
    evalSteps: 4,
    devSentences: 5,
    testSentences: 8,
    out: at('model'),
    ...fields,
  });

async function train(
  fields: Partial<TrainArguments> = {},
  signal?: AbortSignal,
  onEvent?: (event: JobEvent) => void,
) {
  const told: string[] = [];
  const result = await runJob(jobs.train, args(fields), {
    host: 'cpu',
    onEvent: (event) => {
      if (event.type === 'message') told.push(event.text);
      onEvent?.(event);
    },
    signal,
  });
  return { result, told };
}

let whole: { result: TrainResult; told: string[] };
let records: LogRecord[];

beforeAll(async () => {
  writeFileSync(at('pairs.tsv'), pairs.slice(12).join('\n'));
  writeFileSync(at('dev.tsv'), pairs.slice(0, 12).join('\n'));
  whole = await train();
  records = parseLog(text('model/log.jsonl'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('logs every update, evaluations during the run and at the end, and the translations', () => {
  expect(records.map((r) => r.type).join(' ')).toBe(
    'start step step step step eval step step eval eval samples end',
  );
  const { start, steps, evals, samples, ends } = historyOf(records);
  expect(start).toMatchObject({ backend: 'cpu', seed: 3, steps: 6, corpus: { pairs: 84, dev: 12 } });
  expect(steps.map((s) => s.loss)).toEqual(whole.result.losses);
  expect(steps.map((s) => s.step)).toEqual([1, 2, 3, 4, 5, 6]);
  for (const s of steps)
    expect(s).toMatchObject({ learningRate: expect.any(Number), tokens: expect.any(Number) });
  expect(evals.map((e) => [e.step, e.part, e.pairs, e.sentences])).toEqual([
    [4, 'dev', 12, 5],
    [6, 'dev', 12, 5],
    [6, 'test', undefined, 8],
  ]);
  expect(evals.slice(0, 2)).toEqual(whole.result.dev);
  expect(samples).toHaveLength(8);
  expect(samples).toEqual(whole.result.evaluation?.samples);
  expect(ends).toMatchObject([{ step: 6, reason: 'done', skipped: 0 }]);
});

it('prints each evaluation in one line', () => {
  const lines = whole.told.filter((line) => line.startsWith('dev after'));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(
    /^dev after 4 steps: loss \d.\d{4}, perplexity [\d.]+, token accuracy [\d.]+ %, BLEU [\d.]+, chrF2 [\d.]+, exact match [\d.]+ %$/,
  );
});

it('writes a report into the model folder', () => {
  expect(readdirSync(at('model'))).toEqual(
    expect.arrayContaining(['config.json', 'log.jsonl', 'model.safetensors', 'report.html']),
  );
  const page = text('model/report.html');
  expect(page).toContain('exact match on 8 test sentences');
  expect(page).not.toContain('class="note"');
  expect(page).not.toMatch(/NaN|undefined|\[object/);
});

it('has the dev loss of heddle eval, without label smoothing', async () => {
  const found = await runJob(
    jobs.evaluate,
    { folder: at('model'), pairs: { files: [at('dev.tsv')] }, options: { batchSize: 5 } },
    { host: 'cpu' },
  );
  const last = whole.result.dev.at(-1);
  // Two ways to sum float32 losses of one model over other batches.
  expect(found.loss).toBeCloseTo(last?.loss ?? Number.NaN, 5);
  expect(found.perplexity).toBeCloseTo(Math.exp(found.loss), 10);
  expect(found.tokenAccuracy).toBeCloseTo(last?.tokenAccuracy ?? Number.NaN, 10);
  expect(found.pairs).toBe(12);
});

it('evaluates the output of heddle translate', async () => {
  const out = at('learned');
  await train({ out, steps: 60, evalSteps: 0, testSentences: 0, schedule: 'constant', learningRate: 3e-2 });
  const found = await runJob(
    jobs.evaluate,
    { folder: out, pairs: { files: [at('dev.tsv')] }, options: { batchSize: 5 } },
    { host: 'cpu' },
  );
  const [sources, targets] = [0, 1].map((side) =>
    pairs.slice(0, 12).map((p) => p.split('\t')[side] as string),
  );
  const candidates = await runJob(
    jobs.translate,
    { folder: out, texts: sources as string[], options: { batchSize: 4 } },
    { host: 'cpu' },
  );
  const translations = candidates.map(([best]) => best?.text ?? '');
  const lists = (targets as string[]).map((t) => [t]);
  expect(new Set(translations).size).toBeGreaterThan(3);
  expect(found.sentences).toBe(12);
  expect(found.bleu).toBe(corpusBleu(translations, lists).score);
  expect(found.chrf).toBe(corpusChrf(translations, lists).score);
  expect(found.exactMatch).toBe(translations.filter((t, i) => t === targets?.[i]).length / 12);
  expect(found.bleuSignature).toBe('nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp');
  expect(found.chrfSignature).toBe('nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no');

  const pieces: string[] = [];
  const streamed = await runJob(
    jobs.translate,
    {
      folder: out,
      texts: [...(sources as string[]).slice(0, 2), ''],
      options: { batchSize: 4 },
      stream: true,
    },
    { host: 'cpu', onEvent: (event) => event.type === 'piece' && pieces.push(event.text) },
  );
  expect(pieces.join('')).toBe(`${translations.slice(0, 2).join('\n')}\n\n`);
  expect(pieces.length).toBeGreaterThan(4);
  expect(streamed.slice(0, 2).map(([best]) => best?.ids)).toEqual(
    candidates.slice(0, 2).map(([best]) => best?.ids),
  );

  // Beams that are asked for, and for the first six sentences a second reference, which is what they find.
  const decode = { beams: 3, lengthPenalty: 0.6 };
  const beams = await runJob(
    jobs.translate,
    { folder: out, texts: sources as string[], options: { batchSize: 4, ...decode } },
    { host: 'cpu' },
  );
  const found3 = beams.map(([best]) => best?.text ?? '');
  const others = found3.map((t, i) => (i < 6 ? t : ''));
  writeFileSync(
    at('two.tsv'),
    pairs
      .slice(0, 12)
      .map((pair, i) => `${pair}\t${others[i]}`)
      .join('\n'),
  );
  const two = {
    folder: out,
    pairs: { files: [at('two.tsv')] },
    options: { batchSize: 5, ...decode },
    references: 2,
  };
  const judged = await runJob(jobs.evaluate, two, { host: 'cpu' });
  const both = lists.map((list, i) => [...list, ...(others[i] ? [others[i]] : [])]);
  expect(judged.bleu).toBe(corpusBleu(found3, both).score);
  expect(judged.bleuSignature).toMatch(/^nrefs:var/);
  expect(judged.exactMatch).toBeGreaterThanOrEqual(0.5);
  expect(judged.loss).toBe(found.loss);
});

it('evaluates the same samples for any batch size, equal to those of heddle translate', async () => {
  const decode = { method: 'sample', seed: 3 } as const;
  const [sources, targets] = [0, 1].map((side) =>
    pairs.slice(0, 12).map((p) => p.split('\t')[side] as string),
  );
  const translated = await runJob(
    jobs.translate,
    { folder: at('learned'), texts: sources as string[], options: { batchSize: 12, ...decode } },
    { host: 'cpu' },
  );
  const want = corpusChrf(
    translated.map(([best]) => best?.text ?? ''),
    (targets as string[]).map((target) => [target]),
  );
  for (const batch of [5, 64]) {
    const args = {
      folder: at('learned'),
      pairs: { files: [at('dev.tsv')] },
      options: { batchSize: batch, ...decode },
    };
    const progress: number[] = [];
    const found = await runJob(jobs.evaluate, args, {
      host: 'cpu',
      onEvent: (event) =>
        event.type === 'progress' && event.task === 'translate' && progress.push(event.done),
    });
    expect(found.chrf).toBe(want.score);
    expect(progress).toEqual(batch === 5 ? [5, 10, 12] : [12]);
  }
});

it('trains to the same bits with and without evaluations', async () => {
  const { result } = await train({ evalSteps: 0, testSentences: 0, out: '' });
  expect(result.losses).toEqual(whole.result.losses);
  expect(result.dev).toEqual([]);
  expect(result.evaluation).toBeUndefined();
});

it('continues the log of the run that it resumes', async () => {
  const fields = { out: at('parts'), testSentences: 0, devSentences: 0 };
  await train({ ...fields, steps: 3 });
  await train({ ...fields, steps: 6, resume: true });
  const { first, start, steps, evals, ends } = historyOf(parseLog(text('parts/log.jsonl')));
  expect([first.step, start.step]).toEqual([0, 3]);
  expect(steps.map((s) => s.loss)).toEqual(whole.result.losses);
  expect(steps.every((s, i) => i === 0 || s.seconds >= (steps[i - 1]?.seconds ?? 0))).toBe(true);
  expect(evals.map((e) => [e.step, e.bleu])).toEqual([
    [3, undefined],
    [4, undefined],
    [6, undefined],
  ]);
  expect(ends.map((e) => e.step)).toEqual([3, 6]);
});

it('stores the position of the run in the checkpoint', () => {
  // 84 pairs in batches of 8 are 11 batches.
  const state = JSON.parse(text('parts/state.json'));
  expect(state).toMatchObject({ step: 6, epoch: 0, batch: 6, steps: 6, seed: 3, skipped: 0 });
  expect(state.schedule).toMatchObject({ kind: 'constant', learningRate: 1e-2 });
  expect(state.best).toMatchObject({ metric: 'loss', step: 4 });
  expect(positionOf(7, 4, 11)).toEqual({ step: 7, epoch: 2, batch: 6 });
});

it('starts a new log with a warning if the log of the checkpoint is broken', async () => {
  writeFileSync(at('parts/log.jsonl'), 'not a log\n');
  const { told } = await train({
    out: at('parts'),
    testSentences: 0,
    devSentences: 0,
    steps: 7,
    resume: true,
  });
  expect(told.join('\n')).toContain('log.jsonl: line 1 is not JSON');
  expect(historyOf(parseLog(text('parts/log.jsonl'))).steps.map((s) => s.step)).toEqual([7]);
});

it.each(['loss', 'translations'])('stops soon while kernels of an evaluation compile: %s', async (part) => {
  const stop = new AbortController();
  const forever = () => {
    setTimeout(() => stop.abort(), 20);
    return new Promise<never>(() => undefined);
  };
  const compiles =
    part === 'loss'
      ? vi.spyOn(Trainer.prototype, 'evaluate').mockImplementation(forever)
      : vi.spyOn(Translator.prototype, 'decode').mockImplementation(forever);
  onTestFinished(() => compiles.mockRestore());
  const { result } = await train({ out: at(`compiling-${part}`) }, stop.signal);
  expect(compiles).toHaveBeenCalledOnce();
  expect([result.stopped, result.losses.length]).toEqual([true, 4]);
  expect(readdirSync(at(`compiling-${part}`))).toContain('state.json');
});

it('writes log and report if it is stopped', async () => {
  const stop = new AbortController();
  const { result } = await train({ out: at('stopped'), steps: 50 }, stop.signal, (event) => {
    if (event.type === 'progress' && event.task === 'train') stop.abort();
  });
  expect(result.stopped).toBe(true);
  const { ends, evals } = historyOf(parseLog(text('stopped/log.jsonl')));
  expect(ends).toMatchObject([{ reason: 'stopped', step: result.steps }]);
  expect(evals).toEqual([]);
  expect(text('stopped/report.html')).toContain(`Training was stopped after step ${result.steps} of 50.`);
});

it('writes log and report of a diverging run, and keeps its checkpoint', async () => {
  await train({ out: at('diverged'), steps: 3, testSentences: 0 });
  const before = readFileSync(at('diverged/model.safetensors'));
  // Weights that overflow every product: every update from here on is skipped.
  const run = train({
    out: at('diverged'),
    steps: 60,
    evalSteps: 0,
    testSentences: 0,
    schedule: 'constant',
    learningRate: 1e30,
    optimizer: 'sgd',
    momentum: 0,
    clipNorm: 0,
  });
  await expectError(() => run, { values: [expect.stringMatching(/diverged\.failed$/)] });
  expect(readFileSync(at('diverged/model.safetensors'))).toEqual(before);
  const { steps, ends } = historyOf(parseLog(text('diverged.failed/log.jsonl')));
  expect(steps.length).toBeGreaterThan(20);
  expect(ends).toMatchObject([{ reason: 'failed', error: expect.stringContaining('Training diverged') }]);
  expect(text('diverged.failed/report.html')).toContain('Training failed after step');
});

it('says that there are no dev pairs', async () => {
  const { told } = await train({
    corpus: { kind: 'tsv', path: at('pairs.tsv') },
    heldOut: 0.001,
    out: '',
    steps: 1,
  });
  expect(told).toContain(
    'dev: there are no dev pairs, so nothing is evaluated; increase heldOut, or give dev pairs',
  );
});

it('rejects evaluation without dev pairs', async () => {
  writeFileSync(at('long.tsv'), `${'one '.repeat(30)}\tuno`);
  const { told, result } = await train({
    corpus: { kind: 'tsv', path: at('pairs.tsv'), dev: at('long.tsv') },
    out: '',
    steps: 1,
  });
  expect(told).toContain(
    'dev: no dev pair fits the model, so nothing is evaluated; increase heldOut, or give shorter dev pairs',
  );
  expect(told.find((line) => line.startsWith('test:'))).toContain('1 of 1 pairs skipped');
  expect(result).toMatchObject({ dev: [] });
});

it('evaluates dev pairs that are longer than every training batch', async () => {
  const words = pairs.flatMap((pair) => pair.split('\t')[0]?.split(' ') ?? []);
  const longer = words.slice(0, 20).join(' ');
  writeFileSync(at('long-dev.tsv'), `${pairs.slice(0, 4).join('\n')}\n${longer}\t${longer}\n`);
  const messages: string[] = [];
  await train(
    {
      corpus: { kind: 'tsv', path: at('pairs.tsv'), dev: at('long-dev.tsv') },
      model: { ...tinySizes, maxLength: 24 },
      maxLength: undefined,
      out: at('long'),
    },
    undefined,
    (event) => event.type === 'message' && messages.push(event.text),
  );
  const records = parseLog(text('long/log.jsonl'));
  const [start] = records.filter((record) => record.type === 'start');
  // No batch of the training has room for it.
  expect(start?.plan?.shapes.every((shape) => Number(shape.split('x')[1]) < 20) ?? true).toBe(true);
  const evals = records.filter((record) => record.type === 'eval' && record.part === 'dev');
  expect(evals.map((record) => record.type === 'eval' && record.pairs)).toEqual(evals.map(() => 5));
  expect(evals.length).toBeGreaterThan(0);
  expect(messages.filter((message) => /dev: .*skipped/.test(message))).toEqual([]);
});
