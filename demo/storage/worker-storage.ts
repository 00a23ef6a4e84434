// The storage of a worker that runs models: the browser's files, and a runtime for browsers without WebGPU.

import type { Message } from '../../src/core/message.ts';
import { HeddleError } from '../../src/entries/heddle.ts';
import { type BrowserFiles, registerHost } from '../../src/entries/host.ts';
import { openFiles } from './open-files.ts';

/** Opens the browser's files and makes them, and the runtime, heddle's host. No model comes from the hub. */
export async function openWorkerStorage(): Promise<BrowserFiles> {
  const files = await openFiles();
  registerHost({ files, hub: '', onnxRuntime });
  return files;
}

/** Holds a Web Lock until the tab closes. Rejects with `message` if another tab has it. */
export function holdLock(name: string, message: Message): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = navigator.locks.request(name, { ifAvailable: true }, (held) => {
      if (held) resolve();
      else reject(new HeddleError(message));
      // Never settles: the lock ends with the worker.
      return held ? new Promise(() => undefined) : undefined;
    });
    // Without storage there are no locks, and no other tab has these files.
    request.catch(() => resolve());
  });
}

/** The runtime of models without a GPU, loaded by a browser that has none. Threads would need an isolated page. */
async function onnxRuntime() {
  const runtime = await import('onnxruntime-web/wasm');
  runtime.env.wasm.numThreads = 1;
  return runtime;
}
