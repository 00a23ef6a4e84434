// The page that a headless browser loads (dist/headless-page.html), and the code of jobs in Deno. Node calls
// the functions on globalThis.heddle, in a browser through Puppeteer.

import { HeddleError } from '../../core/errors.ts';
import { hostOf } from '../../core/host-name.ts';
import { readText } from '../../files/files.ts';
import type { Job } from '../../session/job.ts';
import { createContext } from '../../session/job-context.ts';
import type { JobEvent } from '../../train/report/training-events.ts';
import { httpFiles } from './http-files.ts';
import { type JobName, loadJob } from './jobs.ts';
import { decodeJson, encodeJson, inputFile, type PageRequest, type PageResponse } from './json-transport.ts';

declare global {
  /** Functions of the page, for example `page.evaluate(() => heddle.abort())`. */
  var heddle: {
    /**
     * Runs a job: takes an encoded PageRequest and returns an encoded PageResponse (see json-transport.ts).
     * Never rejects.
     */
    run(request: string): Promise<string>;
    /** Stops the running job at its next step. */
    abort(): void;
  };
  /** Defined by Node: takes an encoded JobEvent. */
  var heddleEmit: (event: string) => Promise<void>;
}

let running = new AbortController();

async function run(request: PageRequest): Promise<PageResponse> {
  const { name, args, files: base, ...limits } = request;
  running = new AbortController();
  // Events are sent one after another, so that they arrive in order and before the result.
  let sent = Promise.resolve();
  const files = httpFiles(base);
  const { name: host, version } = hostOf();
  const { context, close } = createContext({
    host,
    version,
    files,
    signal: running.signal,
    input: async () => (JSON.parse(await readText(files, inputFile)) as string[] | null) ?? undefined,
    openGpu: async () => navigator.gpu,
    ...limits,
    emit(event: JobEvent) {
      if (event.type === 'step') return; // one per update, which nothing in Node shows
      sent = sent.then(() => heddleEmit(encodeJson(event)));
    },
  });
  try {
    const job = (await loadJob(name as JobName)) as Job<unknown, unknown>;
    const result = await job(args, context);
    await sent;
    return { ok: true, result };
  } catch (error) {
    const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
    return { ok: false, message, stack, userError: error instanceof HeddleError };
  } finally {
    await close();
  }
}

globalThis.heddle = {
  run: async (request) => encodeJson(await run(decodeJson(request) as PageRequest)),
  abort: () => running.abort(),
};
