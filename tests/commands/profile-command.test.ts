// `heddle profile` on Dawn and in Chrome.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ProfileResult } from '../../src/commands/jobs/profile-job.ts';
import { heddle, heddleProcess, isOneLine, scratch } from '../support/cli.ts';
import { itInFull } from '../support/in-full.ts';

const small = [
  '--preset',
  'tiny',
  '--batch-size',
  '2',
  '--vocab-size',
  '60',
  '--source-length',
  '5',
  '--runs',
  '1',
  '--no-tune',
];

it('times every pass of a step, and writes a trace', async () => {
  const trace = join(scratch(), 'trace.json');
  const { status, stdout, stderr } = await heddle(['profile', ...small, '--trace', trace, '--rows', '3']);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^op, kernel, outputs +passes +ms +GFLOP\/s +GB\/s +share$/m);
  const passes = Number(/^all (\d+) passes/m.exec(stdout)?.[1]);
  expect(passes).toBeGreaterThan(50);
  // Three rows, the rest, and the total.
  expect(stdout.split('\n').filter((line) => line.endsWith(' %'))).toHaveLength(5);
  expect(stdout).toMatch(
    /^model FLOPs utilization \(MFU\) [\d.]+ %: [\d.]+ GFLOP of matrix products in [\d.,]+ ms, peak [\d.,]+ GFLOP\/s$/m,
  );
  expect(stdout).toMatch(/--passes lists each pass$/m);
  expect(stderr).toContain(`wrote the trace of the last run to ${trace}`);
  const { traceEvents } = JSON.parse(readFileSync(trace, 'utf8'));
  expect(traceEvents).toHaveLength(passes);
  for (const { name, ph, ts, dur } of traceEvents as {
    name: string;
    ph: string;
    ts: number;
    dur: number;
  }[]) {
    expect([typeof name, ph]).toEqual(['string', 'X']);
    expect(ts).toBeGreaterThanOrEqual(0);
    expect(dur).toBeGreaterThanOrEqual(0);
  }
});

itInFull('profiles an evaluation in Chrome, as JSON', async () => {
  const { status, stdout, stderr } = await heddle([
    ...['profile', ...small, '--host', 'chrome', '--run', 'evaluation', '--json', '--no-trace'],
  ]);
  expect(status, stderr).toBe(0);
  const { backend, clock, ms, passes } = JSON.parse(stdout) as ProfileResult;
  expect(backend).toMatch(/^chrome /);
  expect(['gpu', 'host']).toContain(clock);
  expect(ms).toBeGreaterThan(0);
  expect(passes.map(({ pass }) => pass.op)).toContain('cross_entropy');
  expect(passes.every(({ us, bytes }) => us >= 0 && bytes > 0)).toBe(true);
});

it('lists every pass if asked for, without disabled rewrites, and writes the trace to a file', async () => {
  const args = [
    'profile',
    ...small,
    '--run',
    'evaluation',
    '--passes',
    '--no-fuse',
    'residual-norm,linear-activation',
  ];
  const { status, stdout, stderr } = await heddleProcess(args, { cwd: scratch() });
  expect(status, stderr).toBe(0);
  const listed = stdout.split('\n').filter((line) => /^\d+ .* %/.test(line));
  expect(listed).toHaveLength(Number(/^all (\d+) passes/m.exec(stdout)?.[1]));
  expect(listed[0]).toMatch(/^0 embedding.*encoder/);
  const ops = listed.map((line) => /^\d+ (\w+)/.exec(line)?.[1]);
  expect(ops).toEqual(expect.arrayContaining(['layer_norm', 'activation']));
  expect(ops).not.toContain('add_layer_norm');
  const trace = join('runs', 'profile-tiny.json');
  expect(stderr).toContain(`wrote the trace of the last run to ${trace}`);
  expect(JSON.parse(readFileSync(join(scratch(), trace), 'utf8')).traceEvents).toHaveLength(listed.length);
});

it('rejects profiles of decoding and of the CPU', async () => {
  for (const [args, message] of [
    [['--run', 'decoding'], /argument 'decoding' is invalid. Allowed choices are training, evaluation/],
    [['--host', 'cpu'], /The cpu backend has no GPU; use another device/],
  ] as const) {
    const { status, stderr } = await heddle(['profile', ...small, ...args]);
    expect(stderr).toMatch(message);
    expect([status, isOneLine(stderr)]).toEqual([1, true]);
  }
});
