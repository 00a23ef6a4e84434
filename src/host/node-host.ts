// Node as the host of the library: Dawn for WebGPU, the disk for files, the user's cache folder for
// downloads and tuned kernels, threads for large corpora.

import { existsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { defaultHub, type Host } from '../session/host.ts';
import { fewerLaunches } from '../session/launch-code.ts';
import type { TextThreads } from '../text/text-pool.ts';
import { dawnGpu, dawnVersion } from './dawn.ts';
import { cachePath, nodeFiles } from './node-files.ts';
import { optionalPackage, optionalPackages } from './optional-package.ts';

/** Node as a host. Reads the environment variables HF_ENDPOINT, HF_TOKEN and HEDDLE_CACHE. */
export const nodeHost = (): Host => ({
  name: 'Dawn',
  version: dawnVersion(),
  gpu: () => dawnGpu(),
  files: nodeFiles(),
  modelPath: (name) => name,
  cachePath,
  hub: process.env.HF_ENDPOINT || defaultHub,
  hubToken: process.env.HF_TOKEN,
  memory: machineMemory(),
  threads: nodeTextThreads(),
  fewerLaunches,
  onnxRuntime: () =>
    optionalPackage('onnxruntime-web', optionalPackages['onnxruntime-web'], 'use the device gpu'),
});

/** Bytes of memory of the machine or the container. */
export function machineMemory(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(totalmem(), limit) : totalmem();
}

/**
 * Maximum number of threads. Each takes about 50 MB, and training on millions of pairs should fit in 1.5 GB.
 */
const maxThreads = 12;

/**
 * A thread per core, at most 12; undefined if the script of the threads is missing, as in the sources or in
 * bundles.
 */
export function nodeTextThreads(
  program = new URL('../../text-thread.js', import.meta.url),
): TextThreads | undefined {
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
