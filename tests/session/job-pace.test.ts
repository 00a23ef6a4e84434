// Progress, pauses and cancellation of long work.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createPace } from '../../src/session/job-pace.ts';
import { emitTo } from '../../src/session/session-event.ts';
import type { JobEvent } from '../../src/train/report/training-events.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('reports rate and time left of work that takes long, and lets other work run', async () => {
  const events: JobEvent[] = [];
  const pace = createPace({ emit: emitTo((event: JobEvent) => events.push(event)) });
  let pauses = 0;
  for (let done = 0; done <= 4000; done++) {
    const pause = pace({ task: 'encode', done, total: 10_000 });
    if (pause) {
      pauses++;
      await Promise.all([pause, vi.advanceTimersByTimeAsync(0)]);
    }
    vi.advanceTimersByTime(1);
  }
  expect(pauses).toBeGreaterThan(60);
  expect(pauses).toBeLessThan(100);
  expect(events.length).toBeGreaterThan(3);
  expect(events.at(-1)).toMatchObject({ type: 'progress', task: 'encode', total: 10_000 });
  expect(events[0]).toMatchObject({ text: 'pairs, 1,000 pairs/s, 9 s left' });
});

it('counts bytes in MB, leaves out the time left of an unknown total, and says nothing of short work', async () => {
  const events: JobEvent[] = [];
  const pace = createPace({ emit: emitTo((event: JobEvent) => events.push(event)) });
  for (let done = 0; done < 30; done++) {
    const pause = pace({ task: 'read', done: done * 1e6, total: 0 });
    if (pause) await Promise.all([pause, vi.advanceTimersByTimeAsync(0)]);
    vi.advanceTimersByTime(100);
  }
  expect(events[0]).toMatchObject({ task: 'read', total: 0, text: 'MB, 10 MB/s' });
  const short = createPace({ emit: () => expect.fail('an event') });
  const pause = short({ task: 'read', done: 1, total: 2 });
  if (pause) await Promise.all([pause, vi.advanceTimersByTimeAsync(0)]);
});

it.each([
  ['train tokenizer', 'tokens'],
  ['split words', 'words'],
  ['count pairs', 'words'],
])('counts the %s task in %s', async (task, unit) => {
  const events: JobEvent[] = [];
  const pace = createPace({ emit: emitTo((event: JobEvent) => events.push(event)) });
  for (let done = 0; done < 30; done++) {
    const pause = pace({ task, done, total: 30 });
    if (pause) await Promise.all([pause, vi.advanceTimersByTimeAsync(0)]);
    vi.advanceTimersByTime(100);
  }
  expect(events[0]).toMatchObject({
    task,
    text: expect.stringMatching(new RegExp(`^${unit}, 10 ${unit}/s, \\d+ s left$`)),
  });
});

it('ends with the reason of a signal at the next turn', async () => {
  const stop = new AbortController();
  const pace = createPace({ emit: () => undefined, signal: stop.signal });
  vi.advanceTimersByTime(60);
  stop.abort(new Error('stopped'));
  const pause = pace({ task: 'count', done: 1, total: 2 });
  await expect(Promise.all([pause, vi.advanceTimersByTimeAsync(0)])).rejects.toThrow(new Error('stopped'));
});
