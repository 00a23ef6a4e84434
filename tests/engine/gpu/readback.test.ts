// Reads results back in browsers that notice finished work late.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { whenDone } from '../../../src/engine/gpu/readback.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets milliseconds pass, with the tasks of messages between them. */
async function pass(ms: number): Promise<void> {
  for (let i = 0; i < ms; i++) {
    await vi.advanceTimersByTimeAsync(1);
    await new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => resolve(port1.close());
      port2.postMessage(0);
    });
  }
}

/** A queue that counts submissions. */
function queueOf() {
  const submit = vi.fn();
  return { queue: { submit } as unknown as GPUQueue, submit };
}

it('submits nothing where the host notices finished work by itself', async () => {
  const { queue, submit } = queueOf();
  for (const host of ['Dawn', 'Chrome', 'Deno', 'Safari'])
    expect(await whenDone(queue, Promise.resolve(3), host)).toBe(3);
  await pass(50);
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
  await pass(10);
  expect(submit).toHaveBeenCalledTimes(10); // both share one
  expect(submit).toHaveBeenCalledWith([]);
  resolve(4);
  await pass(10);
  expect(submit).toHaveBeenCalledTimes(20);
  reject(new Error('lost'));
  expect(await Promise.all(waiting)).toEqual([4, 5]);
  await pass(10);
  expect(submit).toHaveBeenCalledTimes(20);
  void whenDone(queue, new Promise(() => undefined), 'Firefox');
  await pass(3);
  expect(submit).toHaveBeenCalledTimes(23);
});
