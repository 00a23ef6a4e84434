// `heddle bench` on Dawn and in Chrome.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { kernelCases } from '../../src/bench/kernel-cases.ts';
import { heddle, isOneLine, scratch } from '../support/cli.ts';
import { itInFull } from '../support/in-full.ts';

it('checks and times every variant of a kernel, and writes all figures', async () => {
  const json = join(scratch(), 'bench.json');
  const { status, stdout, stderr } = await heddle([
    'bench',
    '--small',
    '--filter',
    'softmax [',
    '--quick',
    '--json',
    json,
  ]);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^kernel +ms +spread +GFLOP\/s +GB\/s +roof +error +best variant/m);
  expect(stdout).toMatch(/^softmax \[256,128\] +[\d.]+ +± [\d.]+ %/m);
  const { adapter, machine, roofs, roofSpread, conformance, kernels, steps } = JSON.parse(
    readFileSync(json, 'utf8'),
  );
  expect(adapter).not.toBe('');
  expect(machine.agent).toBe(`Node.js ${process.version}`);
  expect(machine.adapter).toMatchObject({ host: 'Dawn', features: expect.arrayContaining([]) });
  expect(stdout).toMatch(/^copy bandwidth [\d.,]+ GB\/s .*\npeak [\d.,]+ GFLOP\/s in float32/m);
  for (const { rate, work, ms } of [roofs.bandwidth, roofs.peak])
    expect(rate).toBeCloseTo(work / ms / 1e6, 6);
  for (const name of ['bandwidth', 'peak']) {
    const { before, after, spread } = roofSpread[name];
    expect([before.length, after.length]).toEqual([3, 3]);
    const rates = [...before, ...after];
    expect(roofs[name].rate).toBe(Math.max(...rates));
    expect(spread).toBeCloseTo(1 - Math.min(...rates) / Math.max(...rates), 9);
  }
  const maxSpread = Math.max(roofSpread.bandwidth.spread, roofSpread.peak.spread);
  expect(roofSpread.busy).toBe(maxSpread > 0.2);
  expect(stdout.includes('this machine is busy, measure again')).toBe(maxSpread > 0.2);
  expect(stdout).toContain('the adapter is software: it computes on the CPU');
  expect(stdout).toContain('conformance: 1 of 1 kernels within their tolerance');
  expect(conformance).toMatchObject({ passed: true, kernels: [{ name: 'softmax [256,128]', passed: true }] });
  expect([kernels.length, steps]).toEqual([1, []]);
  const [{ variants, bytes }] = kernels;
  expect(bytes).toBe(2 * 4 * 256 * 128);
  expect(variants.length).toBeGreaterThan(1);
  for (const { ms, error, passed, low, high, rounds, clock } of variants) {
    expect(low).toBeLessThanOrEqual(ms);
    expect(high).toBeGreaterThanOrEqual(ms);
    expect(rounds).toBeGreaterThan(0);
    expect(['gpu', 'host']).toContain(clock);
    expect(passed).toBe(true);
    expect(error).toBeLessThan(1e-5);
    expect(ms).toBeGreaterThan(0);
  }
});

it('counts the operations of a training step', async () => {
  const json = join(scratch(), 'steps.json');
  const args = [
    '--no-kernels',
    '--no-tune',
    '--preset',
    'tiny',
    '--batch-size',
    '2',
    '--vocab-size',
    '60',
    '--steps',
    '3',
  ];
  const { status, stdout, stderr } = await heddle(['bench', ...args, '--json', json]);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^tiny +2x32x32 /m);
  const [step] = JSON.parse(readFileSync(json, 'utf8')).steps;
  expect(step.submits).toBe(1);
  expect(step.dispatches).toBeGreaterThan(50);
  expect(step.tokensPerSecond).toBeCloseTo(64 / (step.ms / 1000), 5);
  expect(stdout).toMatch(/GFLOP\/s +MFU +dispatches/);
  expect(step.mfu).toBeGreaterThan(0);
  expect(step.jsMs).toBeLessThan(step.ms);
  expect(step.lastLoss).toBeLessThan(step.firstLoss); // it trains what it times
});

it('has the kernels and sizes of the stored results', () => {
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

it('names an unknown preset, and a host without a GPU', async () => {
  const preset = await heddle(['bench', '--preset', 'huge']);
  expect(preset.stderr).toMatch(/--preset huge: it must be one of tiny, small/);
  expect([preset.status, isOneLine(preset.stderr)]).toEqual([1, true]);
  const size = await heddle(['bench', '--size', 'M=3']);
  expect(size.stderr).toMatch(/--size: it needs --kernel/);
  const file = await heddle(['bench', '--baseline', 'package.json']);
  expect(file.stderr).toMatch(
    /--baseline package\.json: The file has no kernels; it must come from heddle bench or the kernel lab/,
  );
  const cpu = await heddle(['bench', '--host', 'cpu']);
  expect(cpu.stderr).toMatch(/The cpu backend has no GPU/);
  expect([cpu.status, isOneLine(cpu.stderr)]).toEqual([1, true]);
});

itInFull('compares a kernel of any sizes with an earlier run', async () => {
  const json = join(scratch(), 'own.json');
  // A kernel with few variants: a product takes ten times as long to compile. tests/bench checks products of
  // any size.
  const args = [
    'bench',
    '--small',
    '--kernel',
    'softmax',
    '--size',
    'rows=33',
    'width=20',
    'pass=backward',
    '--quick',
  ];
  const { status, stderr } = await heddle([...args, '--json', json]);
  expect(status, stderr).toBe(0);
  const result = JSON.parse(readFileSync(json, 'utf8'));
  expect(result.kernels).toMatchObject([
    { name: 'softmax backward [33,20]', spec: { family: 'softmax', values: { rows: 33 } } },
  ]);
  for (const variant of result.kernels[0].variants)
    for (const name of ['ms', 'low', 'high']) variant[name] *= 100;
  writeFileSync(json, JSON.stringify(result));
  const later = await heddle([...args, '--baseline', json]);
  expect(later.stdout).toMatch(/^compared with 20\d\d-.* on .*\nkernel +ms before +difference +noise/m);
  expect(later.stdout).toMatch(/^softmax backward \[33,20\] +[\d.]+ +-9\d\.\d % +± [\d.]+ % +faster$/m);
});

itInFull('measures the small kernels in Chrome, with its version and flags', async () => {
  const json = join(scratch(), 'chrome.json');
  const args = ['bench', '--host', 'chrome', '--small', '--filter', 'add', '--quick', '--json', json];
  const { status, stdout, stderr } = await heddle(args);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^chrome .*\n\ncopy bandwidth /);
  const { browser, machine, roofs, conformance, kernels } = JSON.parse(readFileSync(json, 'utf8'));
  expect(browser.version).toMatch(/Chrom\S+\/\d+\./);
  expect(browser.flags).toContain('--enable-unsafe-webgpu');
  expect(machine.adapter.host).toBe('Chrome');
  expect(machine.agent).toContain('Chrome/');
  expect(machine.isolated).toBe(true);
  expect(roofs.peak.rate).toBeGreaterThan(0);
  expect(conformance.passed).toBe(true);
  expect(kernels.map(({ name }: { name: string }) => name)).toEqual(['add [64,64]']);
});

it('prints an error if no kernel has that name', async () => {
  const { status, stderr } = await heddle(['bench', '--filter', 'no such kernel']);
  expect(stderr).toContain('No kernel of the set all has "no such kernel" in its name');
  expect([status, isOneLine(stderr)]).toEqual([1, true]);
});
