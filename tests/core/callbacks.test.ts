// Callbacks that return promises: what rejects a call, and what no call waits for.

import { describe, expect, it } from 'vitest';
import { CallbackWatch, withCallbacks } from '../../src/core/callbacks.ts';
import { HeddleError } from '../../src/core/errors.ts';

const mine = new Error('mine');

describe('callbacks that return promises', () => {
  it('reject the call that calls them, at the next callback or at its end', async () => {
    let calls = 0;
    const onStep = async () => {
      calls++;
      throw mine;
    };
    const steps = withCallbacks({ onStep }, async (options) => {
      for (let k = 0; k < 5; k++) {
        options.onStep();
        await new Promise((resolve) => setTimeout(resolve));
      }
    });
    await expect(steps).rejects.toBe(mine);
    expect(calls).toBe(1);
    await expect(withCallbacks({ onStep }, async (options) => void options.onStep())).rejects.toBe(mine);
  });

  it('are waited for only for a moment, and never while the work runs', async () => {
    let resolve = () => {};
    const onStep = () => new Promise<void>((done) => (resolve = done));
    const late = withCallbacks({ onStep }, async (options) => void options.onStep());
    setTimeout(() => resolve(), 20);
    await late;
    const begin = performance.now();
    await withCallbacks({ onStep: () => new Promise(() => {}) }, async (options) => void options.onStep());
    expect(performance.now() - begin).toBeLessThan(3000);
  });

  it('fail one call only', async () => {
    const watch = new CallbackWatch();
    const call = watch.of(async (fails: boolean) => {
      if (fails) throw mine;
    });
    await expect(watch.during(async () => void call(true))).rejects.toBe(mine);
    expect(await watch.during(async () => call(false))).toBeUndefined();
  });

  it('are functions named onX; other options and values stay as they are', async () => {
    const given = { fetch: async () => 1, onStep: () => 2, n: 3 };
    await withCallbacks(given, async ({ fetch, onStep, n }) => {
      expect([fetch, onStep(), n]).toEqual([given.fetch, 2, 3]);
    });
  });
});

it('an error of a call says where the program called', async () => {
  const call = () =>
    new CallbackWatch().during(async () => {
      throw new HeddleError('steps must be at least 1');
    });
  const error = await call().catch((thrown: unknown) => thrown as HeddleError);
  expect(error.stack).toMatch(/^HeddleError: /);
  expect(error.stack).toContain('callbacks.test.ts');
  const inner = error.stack?.split('\n').filter((line) => line.includes('/src/core/')) ?? [];
  expect(inner.length).toBeLessThanOrEqual(1);
});
