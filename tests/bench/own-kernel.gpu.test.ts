// Kernels as the lab shows them, and a user's kernels: compiled, checked, timed next to heddle's.
import { describe, expect, it } from 'vitest';
import { measurePrepared, prepareKernel } from '../../src/bench/check-kernel.ts';
import { smallKernelCases } from '../../src/bench/kernel-cases.ts';
import { kernelOf } from '../../src/bench/kernel-families.ts';
import { type OwnKernel, type ShownPass, showKernel, tryKernel } from '../../src/bench/own-kernel.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { errorAbout } from '../support/expect-error.ts';
import { everyCase, gpuDevice } from '../support/gpu.ts';

const time = { span: 0, rounds: 2 } as const;
const device = wrapDevice(await gpuDevice());
const product = kernelOf({ family: 'matmul', values: { M: 20, K: 12, N: 9 } });
const prepared = prepareKernel(product);
const baseline = await measurePrepared(device, prepared, time);

const naive = `
struct Params { m: u32, k: u32, n: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> left: array<f32>;
@group(0) @binding(1) var<storage, read> right: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;
override WIDTH: u32 = 4u;

@compute @workgroup_size(WIDTH, WIDTH)
fn multiply(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.n || id.y >= params.m) { return; }
  var sum = 0.0;
  for (var l = 0u; l < params.k; l++) { sum += left[id.y * params.k + l] * right[l * params.n + id.x]; }
  c[id.y * params.n + id.x] = params.scale * sum;
}
`;
const own: OwnKernel = {
  label: 'yours 1',
  variant: baseline.variants[0]?.variant ?? '',
  pass: -1,
  source: naive,
  entry: 'multiply',
  constants: { WIDTH: 8 },
  params: { m: 20, k: 12, n: 9, scale: 1 },
  bind: { left: 'a', right: 'b', c: 'c' },
  grid: [2, 3, 1],
};
const attempt = (change: Partial<OwnKernel> = {}) =>
  tryKernel(device, prepared, { ...own, ...change }, baseline, time);

it("checks and times a user's kernel next to heddle's fastest", async () => {
  const { messages, result } = await attempt();
  expect(messages.filter(({ type }) => type === 'error')).toEqual([]);
  const mine = result?.variants.find(({ variant }) => variant === 'yours 1');
  expect(mine).toMatchObject({ passed: true, rounds: 2 });
  expect(mine?.error).toBeLessThan(1e-6);
  expect(result).toMatchObject({
    name: 'matmul [20,12]x[12,9]',
    flops: baseline.flops,
    bytes: baseline.bytes,
  });
  expect(result?.variants).toHaveLength(baseline.variants.length + 1);
});

it('returns the position of the largest error', async () => {
  const { result, worst } = await attempt({ params: { ...own.params, scale: 2 } });
  expect(result?.variants.at(-1)).toMatchObject({ variant: 'yours 1', passed: false });
  expect(worst?.tensor).toBe('c');
  expect(worst?.got).toBeCloseTo(2 * (worst?.want ?? 0), 4);
  const c = prepared.expected[0]?.data ?? [];
  expect(Math.abs(worst?.want ?? 0)).toBeCloseTo(Math.max(...Array.from(c, Math.abs)), 6);
});

it('returns the line of a compiler error', async () => {
  const { messages, result } = await attempt({
    source: naive.replace('var sum = 0.0;', 'var sum = 0.0\n  oops;'),
  });
  expect(result).toBeUndefined();
  const [error] = messages.filter(({ type }) => type === 'error');
  expect(naive.split('\n').findIndex((line) => line.includes('var sum'))).toBe(11);
  expect([12, 13]).toContain(error?.line);
});

describe('an invalid launch', () => {
  it.each([
    [{ entry: 'nothing' }, { values: ['nothing', 'multiply'] }],
    [{ bind: { left: 'a', right: 'b' } }, { values: ['c', 'a', 'b'] }],
    [{ bind: { ...own.bind, c: 'y' } }, { values: ['c'] }],
    [{ params: { m: 20, k: 12, n: 9 } }, { values: ['scale'] }],
    [{ grid: [0, 1, 1] }, { values: [0, 1] }],
    [{ pass: 5 }, { values: [1, 6] }],
    [{ source: naive.replace('@group(0) @binding(2)', '@group(1) @binding(2)') }, { values: ['c', 1] }],
  ])('is rejected with the reason: %j', async (change, expected) => {
    await expect(attempt(change)).rejects.toThrow(errorAbout(expected));
  });
});

const asShown = (variant: string, pass: number, shown: ShownPass): OwnKernel => ({
  ...shown,
  label: 'again',
  variant,
  pass,
});

/** Kernels of one dispatch and of several, with overrides, subgroups, dropout and mutated states. */
const shownCases = smallKernelCases.filter(
  ({ name }) => everyCase || /^(matmul|attention|AdamW|gradient norm)/.test(name),
);

it.each(shownCases)('shows the WGSL of every variant as it runs: $name', async (kernel) => {
  const data = prepareKernel(kernel);
  const shown = showKernel(kernel, device.traits);
  expect(shown.tensors.some(({ role }) => role !== 'input')).toBe(true);
  const reference = { ...baseline, variants: [] };
  for (const { name, passes } of shown.variants)
    for (const [i, pass] of passes.entries()) {
      expect(Object.values(pass.bind)).not.toContain('');
      const { messages, result } = await tryKernel(device, data, asShown(name, i, pass), reference, {
        span: 0,
        rounds: 1,
      });
      expect(messages.filter(({ type }) => type === 'error')).toEqual([]);
      expect(result?.variants[0], `${name}, ${pass.entry}`).toMatchObject({ variant: 'again', passed: true });
    }
});

it("rewrites a kernel for f16 tensors as it does heddle's (needs shader-f16)", async ({ skip }) => {
  skip(!device.traits.f16);
  const kernel = kernelOf({ family: 'elementwise', values: { rows: 5, width: 24, dtype: 'f16' } });
  const [variant] = showKernel(kernel, device.traits).variants;
  const [pass] = variant?.passes ?? [];
  if (!variant || !pass) throw new Error('nothing is shown');
  const tried = await tryKernel(
    device,
    prepareKernel(kernel),
    asShown(variant.name, 0, pass),
    { ...baseline, variants: [] },
    time,
  );
  expect(tried.result?.variants[0]).toMatchObject({ passed: true });
});
