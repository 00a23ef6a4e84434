// Threads of Node for work on large corpora.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { TextThreads } from '../text/text-pool.ts';

/** Maximum number of threads: each takes some 50 MB, and a training of millions of pairs is to fit in 1.5 GB. */
const maxThreads = 12;

/**
 * A thread for each core, at most 12; undefined where the program of the threads is missing: in the sources, and in bundles of
 * users.
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
