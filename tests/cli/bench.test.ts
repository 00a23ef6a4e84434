import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { kernelCases } from '../../bench/kernels.ts';
import { heddle, isOneLine, scratch } from '../support/cli.ts';

it('checks and times every variant of a kernel, and writes all figures', async () => {
  const json = join(scratch(), 'bench.json');
  const { status, stdout, stderr } = await heddle(['bench', '--filter', 'softmax', '--quick', '--json', json]);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^kernel +ms +GFLOP\/s +GB\/s +error +best variant/m);
  expect(stdout).toMatch(/^softmax \[4096,512\] +[\d.]+ /m);
  const { adapter, kernels, steps } = JSON.parse(readFileSync(json, 'utf8'));
  expect(adapter).not.toBe('');
  expect([kernels.length, steps]).toEqual([1, []]);
  const [{ variants, bytes }] = kernels;
  expect(bytes).toBe(2 * 4 * 4096 * 512);
  expect(variants.length).toBeGreaterThan(1);
  for (const { ms, error, passed } of variants) {
    expect(passed).toBe(true);
    expect(error).toBeLessThan(1e-5);
    expect(ms).toBeGreaterThan(0);
  }
});

it('counts what a training step costs', async () => {
  const json = join(scratch(), 'steps.json');
  const args = [
    '--no-kernels',
    '--no-tune',
    '--presets',
    'tiny',
    '--batch',
    '2',
    '--vocab',
    '60',
    '--timed-steps',
    '3',
  ];
  const { status, stdout, stderr } = await heddle(['bench', ...args, '--json', json]);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^tiny +2x32x32 /m);
  const [step] = JSON.parse(readFileSync(json, 'utf8')).steps;
  expect(step.submits).toBe(1);
  expect(step.dispatches).toBeGreaterThan(50);
  expect(step.tokensPerSecond).toBeCloseTo(64 / (step.ms / 1000), 5);
  expect(step.jsMs).toBeLessThan(step.ms);
  expect(step.lastLoss).toBeLessThan(step.firstLoss); // it trains what it times
});

it('has the kernels and sizes that figures are compared by', () => {
  const names = kernelCases.map(({ name }) => name);
  for (const n of [256, 512, 1024]) expect(names).toContain(`matmul [${n},${n}]x[${n},${n}]`);
  for (const name of [
    'matmul [768,256]x[256,1024]',
    'matmul [512,256]x[256,8000]',
    'matmul [512,8000]x[256,8000]ᵀ',
    'matmul [512,256]ᵀx[512,8000]',
  ])
    expect(names).toContain(name);
  for (const T of [32, 128, 512]) expect(names).toContain(`attention backward [4,${T}] 8 heads x 32`);
  expect(new Set(names).size).toBe(names.length);
});

it('names a preset that there is not, and a host without a GPU', async () => {
  const preset = await heddle(['bench', '--presets', 'huge']);
  expect(preset.stderr).toMatch(/bench: no preset huge; there are tiny, small/);
  expect([preset.status, isOneLine(preset.stderr)]).toEqual([1, true]);
  const cpu = await heddle(['bench', '--host', 'cpu']);
  expect(cpu.stderr).toMatch(/The cpu backend has no GPU/);
  expect([cpu.status, isOneLine(cpu.stderr)]).toEqual([1, true]);
});
