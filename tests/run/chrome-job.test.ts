// Jobs inside headless Chrome: results, events, errors, aborts, and errors if Chrome or the page is gone.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { HeddleError } from '../../src/core/errors.ts';
import { type ChromeJobOptions, runInChrome } from '../../src/run/chrome-job.ts';
import type { JobEvent } from '../../src/runtime/job.ts';
import type { TrainArguments, TrainResult } from '../../src/train/train-arguments.ts';
import { distFile } from '../support/dist.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-chrome-job-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => expect(chromes()).toEqual([])); // nothing may be left running

/** Chrome processes that this process has started and that have not ended. */
function chromes(): number[] {
  const list = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' });
  return list
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, parent, stat, program]) => Number(parent) === process.pid && stat?.[0] !== 'Z' && /chrom/.test(program ?? ''),
    )
    .map(([pid]) => Number(pid));
}

function run(name: string, args: unknown, options: Partial<ChromeJobOptions> = {}): Promise<unknown> {
  distFile('headless-page.js'); // throws if the page is older than its sources
  const signal = new AbortController().signal;
  return runInChrome(name, args, { paths: [], signal, onEvent: () => {}, ...options });
}

/** A training that does not end by itself. */
const endless: TrainArguments = {
  corpus: { kind: 'intl', source: 'en', target: 'es', pairs: 100, seed: 1 },
  heldOut: 0,
  preset: 'tiny',
  model: { dModel: 8, heads: 1, feedForward: 8, encoderLayers: 1, decoderLayers: 1 },
  tokenizer: 'char',
  vocabSize: 50,
  steps: 1_000_000,
  batchSize: 4,
  buckets: 1,
  optimizer: 'adamw',
  schedule: 'constant',
  learningRate: 1e-3,
  seed: 1,
  init: 'xavier',
  testSentences: 0,
  out: join(folder, 'model'),
  saveSteps: 0,
  evalSteps: 0,
  devSentences: 0,
  bestMetric: 'loss',
  patience: 0,
  noFuse: [],
};

it('gives the result of a job', async () => {
  expect(await run('info', { host: 'Chrome' })).toMatchObject({
    host: 'Chrome',
    limits: { maxBindGroups: expect.any(Number) },
  });
}, 60_000);

it('forwards events in order, stops at a step on request, and saves through the file server', async () => {
  const stop = new AbortController();
  const done: number[] = [];
  const onEvent = (event: unknown) => {
    const told = event as JobEvent;
    if (told.type === 'progress' && told.task === 'train') done.push(told.done);
    if (done.length === 3) stop.abort();
  };
  const result = (await run('train', endless, { paths: [endless.out], signal: stop.signal, onEvent })) as TrainResult;
  expect(result.stopped).toBe(true);
  expect(result.losses.length).toBeGreaterThanOrEqual(done[2] as number);
  expect(done).toEqual([...done].sort((a, b) => a - b));
  expect(readdirSync(endless.out)).toContain('model.safetensors');
  expect(JSON.parse(readFileSync(join(endless.out, 'config.json'), 'utf8')).model.dModel).toBe(8);
}, 60_000);

it('throws the error of the job, as a HeddleError if the user can fix it', async () => {
  const args = { folder: join(folder, 'none'), texts: ['x'], batch: 1, maxTokens: 0 };
  const failed = run('translate', args, { paths: [folder] });
  await expect(failed).rejects.toThrow(/none: there is no such folder/);
  await expect(failed).rejects.toBeInstanceOf(HeddleError);
}, 60_000);

it('sees only the files that are served', async () => {
  await expect(run('verify', { folders: ['/etc'] }, { paths: [folder] })).rejects.toThrow(
    /\/etc\/expected\.json: no access to it/,
  );
}, 60_000);

it('throws if Chrome ends', async () => {
  const onEvent = () => {
    for (const pid of chromes()) process.kill(pid, 'SIGKILL');
  };
  const out = join(folder, 'killed');
  const killed = run('train', { ...endless, out }, { paths: [out], onEvent });
  await expect(killed).rejects.toThrow(/(Chrome ended|The page in Chrome broke) while running train/);
  expect(existsSync(out)).toBe(false);
}, 60_000);

it('names the job if the page does not answer a heartbeat', async () => {
  // No page answers within a microsecond, so this is one that hangs.
  const hung = run('train', { ...endless, out: '' }, { pulse: { every: 0.05, within: 1e-6 } });
  await expect(hung).rejects.toThrow(/A sign of life from the page in Chrome that runs train took longer than/);
}, 60_000);
