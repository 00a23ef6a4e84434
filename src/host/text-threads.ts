// Node threads for large corpora.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { TextThreads } from '../text/text-pool.ts';

/** Maximum number of threads. Each takes about 50 MB, and training on millions of pairs should fit in 1.5 GB. */
const maxThreads = 12;

/**
 * A thread per core, at most 12; undefined if the script of the threads is missing, as in the sources or in bundles.
 */
export function nodeTextThreads(program = new URL('../../text-thread.js', import.meta.url)): TextThreads | undefined {
  if (!existsSync(fileURLToPath(program))) return undefined;
  return {
    count: Math.min(maxThreads, availableParallelism()),
    start(onMessage, onEnd) {
      const worker = new Worker(program, { resourceLimits: { maxYoungGenerationSizeMb: 16 } });
      worker.on('message', onMessage);
      worker.on('error', onEnd);
      worker.on('exit', () => onEnd(new Error('a thread ended before its work')));
      return { send: (message) => worker.postMessage(message), stop: () => void worker.terminate() };
    },
  };
}
