// The pace of long work in the thread of a job: reports progress with rate and time left, yields to the event
// loop, and ends the work when the job is stopped.

import { msg, significant } from '../core/message.ts';
import type { Pace } from '../core/steps.ts';
import type { Session } from './session.ts';

/**
 * Milliseconds between two yields to the event loop, between two progress events, and before the first one.
 */
const yieldInterval = 50;
const eventInterval = 500;
const firstEventAfter = 1500;

/** Unit of the progress of a task: its name, and how many counts are one unit. */
const units: Record<string, readonly [name: string, size: number]> = {
  read: ['MB', 1e6],
  check: ['MB', 1e6],
  'count texts': ['MB', 1e6],
  'find pieces': ['steps', 1],
  'sort texts': ['characters', 1],
  'train tokenizer': ['tokens', 1],
  'split words': ['words', 1],
  'count pairs': ['words', 1],
};

/** Creates the pace of a job; it throws the signal's reason if the job is stopped. */
export function createPace({ emit, signal }: Pick<Session, 'emit'> & Partial<Pick<Session, 'signal'>>): Pace {
  let [task, begin, first, last, shown] = ['', 0, 0, performance.now(), 0];
  return ({ task: name, done, total }) => {
    const now = performance.now();
    if (name !== task) [task, begin, first, shown] = [name, now, done, 0];
    if (now - last < yieldInterval) return undefined;
    if (now - begin > firstEventAfter && now - shown > eventInterval) {
      shown = now;
      const [unit, size] = units[task] ?? ['pairs', 1];
      const rate = (done - first) / ((now - begin) / 1000);
      const speed = significant(rate / size);
      const left = total > 0 && rate > 0 ? Math.ceil((total - done) / rate) : undefined;
      emit({
        type: 'progress',
        task,
        done: Math.floor(done / size),
        total: Math.floor(total / size),
        text:
          left === undefined
            ? msg`${unit}, ${speed} ${unit}/s`
            : msg`${unit}, ${speed} ${unit}/s, ${left} s left`,
      });
    }
    return new Promise((resolve, reject) => {
      setTimeout(() => {
        last = performance.now();
        if (signal?.aborted) reject(signal.reason);
        else resolve();
      }, 0);
    });
  };
}
