// Runs a job outside this process, through headless-page.ts: starts a file server and the host, calls the job
// by name, forwards its events, and closes both. The hosts are page-job.ts (browsers) and deno-job.ts (Deno).

import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { present } from '../../core/present.ts';
import { archiveFiles } from '../../files/archive-files.ts';
import { fileServer } from '../../host/file-server.ts';
import { nodeFiles } from '../../host/node-files.ts';
import { machineMemory } from '../../host/node-host.ts';
import { serveFolder } from '../../host/static-server.ts';
import { withTimeout } from '../../host/with-timeout.ts';
import type { Session } from '../../session/session.ts';
import { decodeJson, encodeJson, inputFile, type PageRequest, type PageResponse } from './json-transport.ts';

/** The page in dist/ that runs jobs (headless-page.ts). */
const pageName = 'headless-page.html';

/** Options of `runRemotely`. */
export interface RemoteJobOptions {
  /** Files and folders that the job can access; see `fileServer`. */
  readonly paths: readonly string[];
  readonly signal: AbortSignal;
  /** File of the tuned kernels, which the job can access too; without it kernels are not tuned. */
  readonly kernelFile?: string;
  onEvent(event: unknown): void;
  /** Maximum bytes of a plan. */
  readonly memoryLimit?: number;
  /** Maximum bytes of GPU and JavaScript memory together. */
  readonly memoryBudget?: number;
  /** See `Session.input`. */
  readonly input?: Session['input'];
  /**
   * Seconds between heartbeats of the host, and time limit of its answer in seconds (default: 15 and 300).
   */
  readonly heartbeat?: { readonly every: number; readonly within: number };
}

/** What a host needs to start. */
export interface RemoteStart {
  /** Name of the job, for messages. */
  readonly job: string;
  /** Folder with the built page, and the URL at which the page is served. */
  readonly folder: string;
  readonly url: string;
  /** Receives each event of the job, encoded. */
  emit(event: string): void;
  /** Called if the host ends or fails, with the reason. */
  fail(error: Error): void;
}

/** A started host. It calls the functions of headless-page.ts. */
export interface RemoteHost {
  /** Name for messages, for example `the page in Chrome`. */
  readonly name: string;
  /** Runs an encoded request and returns the encoded response. */
  run(request: string): Promise<string>;
  /** Stops the job at its next step. */
  abort(): void;
  /** Resolves as soon as the host answers. */
  ping(): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Runs the job `name` on the host that `start` starts, and returns its result. Throws the error of the job,
 * or a HeddleError if the host ends or hangs.
 */
export async function runRemotely(
  name: string,
  args: unknown,
  options: RemoteJobOptions,
  start: (start: RemoteStart) => Promise<RemoteHost>,
): Promise<unknown> {
  const { paths, signal, kernelFile, memoryLimit, memoryBudget } = options;
  const disk = archiveFiles(nodeFiles());
  const input = async () => new TextEncoder().encode(JSON.stringify((await options.input?.()) ?? null));
  const files = fileServer(
    { ...disk, read: (path) => (path === resolve(inputFile) ? input() : disk.read(path)) },
    present([...paths, inputFile, kernelFile === undefined ? undefined : kernelFile]),
  );
  const folder = findPage();
  const server = await serveFolder(folder, 0, files.handle);
  let host: RemoteHost | undefined;
  try {
    let fail: (error: Error) => void = () => {};
    const gone = new Promise<never>((_, reject) => {
      fail = reject;
    });
    gone.catch(() => {}); // it may be rejected after the job has ended
    const emit = (event: string) => options.onEvent(decodeJson(event));
    host = await start({ job: name, folder, url: `${server.url}${pageName}`, emit, fail });
    const { abort } = host;
    signal.addEventListener('abort', abort);
    const base = new URL(files.base, server.url).href;
    const request: PageRequest = {
      name,
      args,
      files: base,
      kernelFile,
      memoryLimit,
      memoryBudget,
      memory: machineMemory(),
    };
    const heartbeat = startHeartbeat(host, name, options.heartbeat ?? { every: 15, within: 300 }, fail);
    try {
      const job = host.run(encodeJson(request));
      if (signal.aborted) abort();
      return resultOf(decodeJson(await Promise.race([job, gone])) as PageResponse);
    } finally {
      clearInterval(heartbeat);
      signal.removeEventListener('abort', abort);
    }
  } finally {
    await host?.close();
    await server.close();
  }
}

function resultOf(outcome: PageResponse): unknown {
  if (outcome.ok) return outcome.result;
  if (outcome.error) throw new HeddleError(outcome.error.template, outcome.error);
  const error = new Error(outcome.message);
  error.stack = outcome.stack;
  throw error;
}

/** Pings the host every `every` seconds. If it does not answer within `within` seconds, calls `fail`. */
function startHeartbeat(
  host: RemoteHost,
  name: string,
  { every, within: limit }: { every: number; within: number },
  fail: (error: Error) => void,
) {
  let waiting = false;
  return setInterval(() => {
    if (waiting) return;
    waiting = true;
    withTimeout(limit * 1000, msg`A heartbeat of ${host.name} that runs ${name}`, host.ping()).then(() => {
      waiting = false;
    }, fail);
  }, every * 1000);
}

/** Folder of the built page: that of the built command, or dist if this runs from the sources. */
function findPage(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    for (const candidate of [folder, join(folder, 'dist')])
      if (existsSync(join(candidate, pageName))) return candidate;
    if (folder === dirname(folder))
      throw new HeddleError(
        msg`The page for jobs in a browser is not built (dist/${pageName}): run "npm run build" first.`,
      );
  }
}
