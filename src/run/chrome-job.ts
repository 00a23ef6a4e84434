// Runs a job in a page of headless Chrome: starts Chrome and a file server, opens the page, calls the job by name,
// forwards its events, and closes everything.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'puppeteer-core';
import { HeddleError } from '../core/errors.ts';
import { archiveFiles } from '../files/archive-files.ts';
import { type Chrome, type ChromeOptions, launchChrome } from '../host/chrome.ts';
import { fileServer } from '../host/file-server.ts';
import { nodeFiles } from '../host/node-files.ts';
import { serveFolder } from '../host/static-server.ts';
import { withTimeout } from '../host/with-timeout.ts';
import { decodeJson, encodeJson, type PageRequest, type PageResponse } from './json-transport.ts';

/** The page in dist/ that runs jobs (headless-page.ts). */
const pageName = 'headless-page.html';

/** The Chrome that was started. */
export type StartedChrome = Pick<Chrome, 'version' | 'flags' | 'gpu'>;

/** Options of `runInChrome`. */
export interface ChromeJobOptions {
  /** Files and folders that the job can access; see `fileServer`. */
  readonly paths: readonly string[];
  readonly signal: AbortSignal;
  /** File of the tuned kernels, which the job can access too; without it kernels are not tuned. */
  readonly choices?: string;
  onEvent(event: unknown): void;
  readonly memoryLimit?: number;
  /** Bytes of memory of the machine, the limit of a software adapter. */
  readonly machineMemory?: number;
  readonly chrome?: ChromeOptions;
  /** Receives the Chrome that was started. */
  readonly onChrome?: (chrome: StartedChrome) => void;
  /** Seconds between heartbeats of the page, and time limit of its answer in seconds (default: 15 and 300). */
  readonly pulse?: { readonly every: number; readonly within: number };
}

/**
 * Runs the job `name` in Chrome and returns its result. Throws the error of the job, or a HeddleError if Chrome or the
 * page ends or hangs.
 */
export async function runInChrome(name: string, args: unknown, options: ChromeJobOptions): Promise<unknown> {
  const { paths, signal, choices, memoryLimit, machineMemory } = options;
  const files = fileServer(archiveFiles(nodeFiles()), choices === undefined ? paths : [...paths, choices]);
  const server = await serveFolder(findPage(), 0, files.handle);
  let chrome: Chrome | undefined;
  try {
    chrome = await launchChrome(options.chrome);
    options.onChrome?.(chrome);
    let fail: (error: Error) => void = () => {};
    const gone = new Promise<never>((_, reject) => {
      fail = reject;
    });
    gone.catch(() => {}); // it may be rejected after the job has ended
    const page = await chrome.openPage(`${server.url}${pageName}`, {
      onError: (error) => fail(new HeddleError(`The page in Chrome broke while running ${name}: ${error.message}`)),
    });
    chrome.browser.on('disconnected', () => fail(new HeddleError(`Chrome ended while running ${name}`)));
    await page.exposeFunction('heddleEmit', (event: string) => options.onEvent(decodeJson(event)));
    const stop = () => void page.evaluate(() => heddle.abort()).catch(() => {});
    signal.addEventListener('abort', stop);
    const request: PageRequest = {
      name,
      args,
      files: files.base,
      ...(choices !== undefined && { choices }),
      ...(memoryLimit !== undefined && { memoryLimit }),
      ...(machineMemory !== undefined && { machineMemory }),
    };
    const pulse = watch(page, name, options.pulse ?? { every: 15, within: 300 }, fail);
    try {
      const job = page.evaluate((text) => heddle.run(text), encodeJson(request));
      if (signal.aborted) stop();
      return resultOf(decodeJson(await Promise.race([job, gone])) as PageResponse);
    } finally {
      clearInterval(pulse);
      signal.removeEventListener('abort', stop);
    }
  } finally {
    await chrome?.close();
    await server.close();
  }
}

function resultOf(outcome: PageResponse): unknown {
  if (outcome.ok) return outcome.result;
  if (outcome.userError) throw new HeddleError(outcome.message);
  const error = new Error(outcome.message);
  error.stack = outcome.stack;
  throw error;
}

/**
 * Heartbeat: evaluates an expression in the page at intervals; a page that does not answer in time hangs, and the job
 * fails.
 */
function watch(
  page: Page,
  name: string,
  { every, within: limit }: { every: number; within: number },
  fail: (error: Error) => void,
) {
  let asked = false;
  return setInterval(() => {
    if (asked) return;
    asked = true;
    withTimeout(limit * 1000, `A sign of life from the page in Chrome that runs ${name}`, page.evaluate('true')).then(
      () => {
        asked = false;
      },
      fail,
    );
  }, every * 1000);
}

/** Folder of the built page: that of the built command, or dist if this runs from the sources. */
function findPage(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    for (const candidate of [folder, join(folder, 'dist')]) if (existsSync(join(candidate, pageName))) return candidate;
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  throw new HeddleError(`The page for Chrome is not built (dist/${pageName}): run "npm run build" first.`);
}
