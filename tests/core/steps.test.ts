// Tasks that pause between their steps.
import { expect, it } from 'vitest';
import { runPaced, type Steps, type WorkProgress } from '../../src/core/steps.ts';

function* count(to: number): Steps<string> {
  for (let i = 0; i < to; i++) yield { task: 'count', done: i, total: to };
  return `counted to ${to}`;
}

it('runs the steps of a task without a break, or with a pause after any of them', async () => {
  const seen: WorkProgress[] = [];
  const pace = (progress: WorkProgress) => {
    seen.push(progress);
    return progress.done === 1 ? Promise.resolve() : undefined;
  };
  expect(await runPaced(count(3), pace)).toBe('counted to 3');
  expect(seen.map(({ done, total }) => [done, total])).toEqual([
    [0, 3],
    [1, 3],
    [2, 3],
  ]);
  expect(await runPaced(count(2))).toBe('counted to 2');
});

it('stops a task whose pace throws', async () => {
  const stop = new AbortController();
  const pace = ({ done }: WorkProgress) => {
    if (done === 1) stop.abort(new Error('stopped'));
    stop.signal.throwIfAborted();
    return undefined;
  };
  await expect(runPaced(count(3), pace)).rejects.toThrow(new Error('stopped'));
});
