// Waits for results of the GPU.

import { hostOf } from '../core/host-name.ts';

/** Milliseconds between two empty submissions. */
const interval = 1;

const pumps = new WeakMap<GPUQueue, { waiting: number }>();

let channel: MessageChannel | undefined;
const tasks: (() => void)[] = [];

/**
 * Calls `work` in a task of its own. A timer that a timer starts waits for at least 4 ms from the fifth on; one that the
 * task of a message starts does not.
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
 * `done`, a promise that the GPU settles: `mapAsync` or `onSubmittedWorkDone`. Firefox notices finished work only every
 * 100 ms, and at each submission; so there an empty one is submitted about once a millisecond until `done` settles. Other
 * hosts notice it by themselves: nothing is submitted.
 */
export function whenDone<T>(queue: GPUQueue, done: Promise<T>, host: string = hostOf().name): Promise<T> {
  if (host !== 'Firefox') return done;
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
