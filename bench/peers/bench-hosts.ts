// The two hosts that a task runs on: a child process with Dawn, and a page of headless Chrome with a new
// profile.

import { fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { HeddleError } from '../../src/core/errors.ts';
import { launchChrome } from '../../src/host/chrome.ts';
import { serveFolder } from '../../src/host/static-server.ts';
import type { HostName } from './bench-options.ts';
import type { Findings, Task } from './bench-session.ts';
import type { Reply, TaskRequest } from './node-session.ts';

/** Options of a host. */
export interface HostContext {
  /** Folder of each golden case. */
  readonly cases: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
  /**
   * Whether the driver may use its shader cache on disk; then the first step does not compile all shaders.
   */
  readonly warmCache: boolean;
}

/** Findings, and the version of the browser. */
export interface HostFindings extends Findings {
  readonly browser?: string;
}

/** Folder of the bundles: the folder of this file after bundling. */
const here = fileURLToPath(new URL('.', import.meta.url));

/** Runs a task on a host. Rejects with the error that occurred there. */
export const hosts: Readonly<Record<HostName, (task: Task, context: HostContext) => Promise<HostFindings>>> =
  {
    dawn: onDawn,
    chrome: onChrome,
  };

function onDawn(task: Task, { cases, log, warmCache }: HostContext): Promise<HostFindings> {
  const env = warmCache ? process.env : { ...process.env, MESA_SHADER_CACHE_DISABLE: 'true' };
  const child = fork(join(here, 'node-session.js'), { env, execArgv: ['--max-old-space-size=8192'] });
  const request: TaskRequest = { task, cases, module: pathToFileURL(join(here, 'page', 'session.js')).href };
  child.send(request);
  return new Promise((resolve, reject) => {
    child.on('message', (reply: Reply) => {
      if ('log' in reply) log(reply.log);
      else if ('findings' in reply) resolve(reply.findings);
      else reject(new HeddleError(reply.error));
    });
    child.once('exit', (code, signal) =>
      reject(new HeddleError(`The session ended without a result (${signal ?? code}).`)),
    );
  });
}

async function onChrome(task: Task, { cases, log }: HostContext): Promise<HostFindings> {
  const server = await serveFolder(join(here, 'page'), 0, async (request, response) => {
    const [, folder, name = '', file = ''] = (request.url ?? '').split('/');
    const path = cases[name];
    if (folder !== 'cases' || !path || !/^[\w-]+\.(json|safetensors)$/.test(file)) return false;
    response.end(await readFile(join(path, file)));
    return true;
  });
  const chrome = await launchChrome({ exactTimestamps: true });
  try {
    const page = await chrome.openPage(server.url, {
      onConsole: log,
      onError: (error) => log(`page: ${error.message}`),
    });
    const findings = await page.evaluate((t) => globalThis.bench.run(t), task);
    return { ...findings, browser: await chrome.browser.version() };
  } finally {
    await chrome.close();
    await server.close();
  }
}
