// Files of results as baseline: those of the command and of the page are read, others are errors with a
// reason.
import { describe, expect, it } from 'vitest';
import { compareRuns, readBenchRun } from '../../src/bench/bench-file.ts';
import type { KernelResult } from '../../src/bench/check-kernel.ts';
import { type ExpectedError, errorAbout } from '../support/expect-error.ts';

const kernel = (name: string, ms: number, spread = 0.01): KernelResult => ({
  name,
  group: 'rows',
  op: 'softmax',
  flops: 100,
  bytes: 400,
  variants: [
    { variant: 'only', error: 1e-7, passed: true, ms, low: ms * (1 - spread), high: ms * (1 + spread) },
  ],
});
const roof = (spread: number) => ({ before: [1], after: [1], spread });
const file = {
  heddle: '0.1.0',
  when: '2026-11-25T12:00:00.000Z',
  adapter: 'acme gpu',
  roofs: { bandwidth: { rate: 10 }, peak: { rate: 100 } },
  roofSpread: { bandwidth: roof(0.02), peak: roof(0.04), busy: false },
  kernels: [kernel('softmax [1,2]', 2)],
};

it('reads the results of the command and of the page', () => {
  expect(readBenchRun(JSON.stringify(file))).toEqual(file);
});

it('joins the name of the adapter from its parts, and reads the error of a kernel that did not run', () => {
  const machine = { adapter: { vendor: 'acme', architecture: 'x1', device: '', description: 'Acme X1' } };
  const broken = {
    ...kernel('k', 1),
    variants: [{ variant: 'v', error: null, passed: false, failure: 'no' }],
  };
  const run = readBenchRun(JSON.stringify({ machine, kernels: [broken] }));
  expect(run.adapter).toBe('acme x1 Acme X1');
  expect(run.kernels[0]?.variants[0]?.error).toBe(Number.POSITIVE_INFINITY);
});

describe('an invalid file', () => {
  const changed = (change: object) =>
    JSON.stringify({ ...file, kernels: [{ ...file.kernels[0], ...change }] });
  it.each<[string, ExpectedError]>([
    ['kernels: 1', { template: 'The file is not JSON; it must come from heddle bench or the kernel lab.' }],
    ['[]', { template: 'The file has no kernels; it must come from heddle bench or the kernel lab.' }],
    ['{"kernels":[]}', { template: 'The file has no kernels: the list is empty.' }],
    ['{"kernels":[7]}', { values: [1] }],
    [changed({ group: 'gpus' }), { values: ['gpus', 'products'] }],
    [changed({ flops: -1 }), { template: '{0} needs flops and bytes of 0 or more.' }],
    [changed({ variants: [] }), { template: '{0} has no variants.' }],
    [
      changed({ variants: [{ variant: 'v', ms: 2, low: 3, high: 4 }] }),
      { template: '{0} has a time that is not a median between quartiles.' },
    ],
    [JSON.stringify({ ...file, roofs: { peak: {} } }), { values: ['bandwidth'] }],
  ])('is an error with a reason: %s', (text, expected) => {
    expect(() => readBenchRun(text)).toThrow(errorAbout(expected));
  });
});

it('compares kernels with the same name; the noise includes that of the roofs', () => {
  const run = { kernels: [kernel('a', 8), kernel('b', 5), kernel('new', 1)] };
  const changes = compareRuns(run, { kernels: [kernel('a', 10), kernel('b', 5.02), kernel('old', 1)] });
  expect([...changes.keys()]).toEqual(['a', 'b']);
  expect(changes.get('a')).toMatchObject({ significant: true });
  expect(changes.get('a')?.change).toBeCloseTo(-0.2, 9);
  expect(changes.get('b')?.significant).toBe(false);
  const roofSpread = { bandwidth: roof(0.3), peak: roof(0), busy: true };
  expect(compareRuns({ ...run, roofSpread }, { kernels: [kernel('a', 10)] }).get('a')?.significant).toBe(
    false,
  );
});
