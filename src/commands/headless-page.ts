// The page that a headless browser loads (dist/headless-page.html), and the code of jobs in Deno. Node calls
// the functions on globalThis.heddle, in a browser through Puppeteer.

import { HeddleError } from '../core/errors.ts';
import { features } from '../features/features.ts';
import { readText } from '../files/files.ts';
import { browserHost, type Host } from '../session/host.ts';
import { Session } from '../session/session.ts';
import type { TrainingEvent } from '../train/report/training-events.ts';
import { loadJob } from './commands.ts';
import { httpFiles } from './remote/http-files.ts';
import {
  decodeJson,
  encodeJson,
  inputFile,
  type PageRequest,
  type PageResponse,
} from './remote/json-transport.ts';

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
  const { name, args, files: base, kernelFile, memoryLimit, memoryBudget, memory } = request;
  running = new AbortController();
  // Events are sent one after another, so that they arrive in order and before the result.
  let sent = Promise.resolve();
  let hasStepped = false;
  const files = httpFiles(base);
  // Paths are those of Node, which serves the files.
  const host: Host = {
    ...browserHost(),
    files,
    memory,
    modelPath: (path) => path,
    cachePath: () => kernelFile ?? '',
  };
  const session = new Session<TrainingEvent>(host, {
    files,
    features,
    signal: running.signal,
    tune: kernelFile !== undefined,
    memoryLimit,
    memoryBudget,
    input: async () => (JSON.parse(await readText(files, inputFile)) as string[] | null) ?? undefined,
    onEvent(event) {
      // One per update: Node needs only the first one, after which there is something to save.
      if (event.type === 'step' && hasStepped) return;
      hasStepped ||= event.type === 'step';
      sent = sent.then(() => heddleEmit(encodeJson(event)));
    },
  });
  try {
    const job = await loadJob(name);
    const result = await job(args as never, session);
    await sent;
    return { ok: true, result };
  } catch (error) {
    const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
    if (!(error instanceof HeddleError)) return { ok: false, message, stack };
    const { kind, area, template } = error;
    return { ok: false, message, stack, error: { kind, area, template } };
  } finally {
    await session.close();
  }
}

globalThis.heddle = {
  run: async (request) => encodeJson(await run(decodeJson(request) as PageRequest)),
  abort: () => running.abort(),
};
