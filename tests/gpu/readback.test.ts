import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { whenDone } from '../../src/gpu/readback.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A queue that counts submissions. */
function queueOf() {
  const submit = vi.fn();
  return { queue: { submit } as unknown as GPUQueue, submit };
}

it('submits nothing where the host notices finished work by itself', async () => {
  const { queue, submit } = queueOf();
  for (const host of ['Dawn', 'Chrome', 'Deno', 'Safari'])
    expect(await whenDone(queue, Promise.resolve(3), host)).toBe(3);
  await vi.advanceTimersByTimeAsync(50);
  expect(submit).not.toHaveBeenCalled();
});

it('submits nothing, once a millisecond, while something is awaited in Firefox', async () => {
  const { queue, submit } = queueOf();
  let resolve: (n: number) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<number>((done) => {
    resolve = done;
  });
  const other = new Promise<number>((_, fail) => {
    reject = fail;
  });
  const waiting = [whenDone(queue, promise, 'Firefox'), whenDone(queue, other, 'Firefox').catch(() => 5)];
  await vi.advanceTimersByTimeAsync(10);
  expect(submit).toHaveBeenCalledTimes(10); // both share one
  expect(submit).toHaveBeenCalledWith([]);
  resolve(4);
  await vi.advanceTimersByTimeAsync(10);
  expect(submit).toHaveBeenCalledTimes(20);
  reject(new Error('lost'));
  expect(await Promise.all(waiting)).toEqual([4, 5]);
  await vi.advanceTimersByTimeAsync(10);
  expect(submit).toHaveBeenCalledTimes(20);
  void whenDone(queue, new Promise(() => undefined), 'Firefox');
  await vi.advanceTimersByTimeAsync(3);
  expect(submit).toHaveBeenCalledTimes(23);
});
