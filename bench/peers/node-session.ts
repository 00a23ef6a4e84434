// Runs one task in Node on Dawn, as a child process: it defines the browser globals that contestants need,
// isolated from the runner. Task and findings are messages between the processes.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dawnGpu } from '../../src/host/dawn.ts';
import type { Findings, Task } from './bench-session.ts';
import { installIteratorHelpers } from './iterator-helpers.ts';

/** Message from the runner. */
export interface TaskRequest {
  readonly task: Task;
  /** URL of the bundled bench-session.ts. */
  readonly module: string;
  /** Folder of each golden case. */
  readonly cases: Readonly<Record<string, string>>;
}

/** Messages to the runner: log lines, then the findings or an error. */
export type Reply = { readonly log: string } | { readonly findings: Findings } | { readonly error: string };

const reply = (message: Reply) =>
  new Promise<void>((done) => {
    process.send?.(message, undefined, undefined, () => done());
  });

process.once('message', async ({ task, module, cases }: TaskRequest) => {
  try {
    const gpu = await dawnGpu({ exactTimestamps: true });
    Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true });
    installIteratorHelpers();
    // TensorFlow.js treats Node as a browser only if these exist; it never draws.
    const page = globalThis as Record<string, unknown>;
    page.window ??= globalThis;
    page.self ??= globalThis;
    page.document ??= { createElement: () => ({ getContext: () => null }) };
    const { runTask } = (await import(module)) as typeof import('./bench-session.ts');
    const read = async (path: string) => {
      const [name = '', file = ''] = path.split('/');
      return new Uint8Array(await readFile(join(cases[name] ?? name, file)));
    };
    await reply({ findings: await runTask(task, read, (log) => void reply({ log })) });
  } catch (error) {
    await reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
  process.exit(0); // Dawn's and the driver's threads would keep Node alive
});
