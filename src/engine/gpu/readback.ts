// Waits until the GPU has finished work.

import { hostOf } from '../../core/host-name.ts';

/** Milliseconds between two empty submissions. */
const interval = 1;

const pumps = new WeakMap<GPUQueue, { waiting: number }>();

let channel: MessageChannel | undefined;
const tasks: (() => void)[] = [];

/**
 * Calls `work` in a new task. Browsers delay nested timers by at least 4 ms from the fifth level on; a timer
 * that a message task starts is not nested.
 */
function inTask(work: () => void): void {
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => tasks.shift()?.();
  }
  tasks.push(work);
  channel.port2.postMessage(0);
}

/**
 * Returns `done`, a promise that the GPU settles: that of `mapAsync` or `onSubmittedWorkDone`. Firefox checks
 * for finished work only every 100 ms and at each submission, so this function submits an empty command list
 * about every millisecond there until `done` settles.
 */
export function whenDone<T>(queue: GPUQueue, done: Promise<T>, hostName: string = hostOf().name): Promise<T> {
  if (hostName !== 'Firefox') return done;
  const running = pumps.get(queue);
  const pump = running ?? { waiting: 0 };
  pump.waiting++;
  if (!running) {
    pumps.set(queue, pump);
    const tick = () => {
      if (pump.waiting === 0) return void pumps.delete(queue);
      queue.submit([]);
      inTask(() => setTimeout(tick, interval));
    };
    setTimeout(tick, interval);
  }
  return done.finally(() => {
    pump.waiting--;
  });
}
