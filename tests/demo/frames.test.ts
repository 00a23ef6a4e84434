// CPU time of the page's main thread during a training that sends events at the maximum rate. CPU time does not depend on the load of the
// machine.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { scratch } from '../support/cli.ts';
import { demo } from '../support/demo.ts';
import { fakeWorker } from './fake-worker.ts';

const { open } = demo();

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of the thread's own time. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

it('has no long tasks and free time in each frame while a training runs', async () => {
  const { page, errors } = await open('index.html', { before: fakeWorker });
  await page.waitForSelector('#start:not([disabled])');
  await page.locator('#start').click();
  await page.waitForFunction(() => document.querySelector('.state')?.textContent === 'Training');
  // Full curves, and visible charts.
  await page.evaluate(() => window.fake.train(2000, 10));
  await page.$eval('#curves', (e) => e.scrollIntoView());
  await page.waitForSelector('#curves canvas');

  const path = join(scratch(), 'trace.json');
  await page.tracing.start({
    path,
    categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'],
  });
  const { frames, seconds } = await page.evaluate(async () => {
    let frames = 0;
    const begin = performance.now();
    // The maximum rate of the worker: 20 messages per second with ten updates each, and one evaluation per second.
    for (let next = begin; performance.now() - begin < 3000; ) {
      await new Promise(requestAnimationFrame);
      frames++;
      if (performance.now() < next) continue;
      next += 50;
      window.fake.train(10, 200);
    }
    return { frames, seconds: (performance.now() - begin) / 1000 };
  });
  await page.tracing.stop();
  expect(errors).toEqual([]);

  const { traceEvents } = JSON.parse(readFileSync(path, 'utf8')) as { traceEvents: TraceEvent[] };
  const main = traceEvents.filter((e) => e.name === 'thread_name' && e.args?.name === 'CrRendererMain');
  const busy = main.map(({ pid, tid }) =>
    traceEvents.flatMap((e) =>
      e.pid === pid && e.tid === tid && e.name === 'ThreadControllerImpl::RunTask' && e.tdur ? [e.tdur / 1000] : [],
    ),
  );
  const tasks = busy.reduce((a, b) => (b.length > a.length ? b : a), []);
  const total = tasks.reduce((a, b) => a + b, 0);
  expect(tasks.length).toBeGreaterThan(frames);
  expect(Math.max(...tasks)).toBeLessThan(50);
  expect(total / (60 * seconds)).toBeLessThan(1000 / 60);
});
