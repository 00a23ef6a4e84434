// CPU time of the tasks of a page's main thread. It does not depend on the load of the machine, as their
// wall-clock time does.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer';
import { scratch } from './cli.ts';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds since an arbitrary time. */
  readonly ts: number;
  /** Microseconds of the thread's own time. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** A task of a thread: when it began, in seconds since the first one, and its CPU milliseconds. */
export interface ThreadTask {
  readonly at: number;
  readonly ms: number;
}

/** The CPU milliseconds of each task while `work` ran; see `mainThreadTimeline`. */
export const mainThreadTasks = async (page: Page, work: () => Promise<unknown>): Promise<number[]> =>
  (await mainThreadTimeline(page, work)).map(({ ms }) => ms);

/** The tasks while `work` ran, of the main thread with the most tasks: the page's. */
export async function mainThreadTimeline(page: Page, work: () => Promise<unknown>): Promise<ThreadTask[]> {
  const path = join(scratch(), 'trace.json');
  await page.tracing.start({ path, categories: ['toplevel'] });
  await work();
  await page.tracing.stop();
  const { traceEvents } = JSON.parse(readFileSync(path, 'utf8')) as { traceEvents: TraceEvent[] };
  const threads = traceEvents.filter((e) => e.name === 'thread_name' && e.args?.name === 'CrRendererMain');
  const tasks = threads.map(({ pid, tid }) =>
    traceEvents.flatMap((e) =>
      e.pid === pid && e.tid === tid && e.name === 'ThreadControllerImpl::RunTask' && e.tdur
        ? [{ at: e.ts / 1e6, ms: e.tdur / 1000 }]
        : [],
    ),
  );
  const own = tasks.reduce((a, b) => (b.length > a.length ? b : a), []);
  const first = Math.min(...own.map(({ at }) => at));
  return own.map(({ at, ms }) => ({ at: at - first, ms }));
}
