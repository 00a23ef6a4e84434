// Node as the platform of the library: Dawn for WebGPU, the disk for files, the user's cache folder for downloads and
// tuned kernels.

import { totalmem } from 'node:os';
import { defaultHub, type Platform } from '../api/platform.ts';
import { dawnGpu, dawnVersion } from './dawn.ts';
import { cachePath, nodeFiles } from './node-files.ts';
import { nodeTextThreads } from './text-threads.ts';

/** Services of Node. Reads the environment variables HF_ENDPOINT, HF_TOKEN and HEDDLE_CACHE. */
export const nodePlatform = (): Platform => ({
  host: 'Dawn',
  version: dawnVersion(),
  openGpu: () => dawnGpu(),
  files: nodeFiles(),
  modelPath: (name) => name,
  cachePath,
  hub: process.env.HF_ENDPOINT || defaultHub,
  hubToken: process.env.HF_TOKEN,
  machineMemory: machineMemory(),
  textThreads: nodeTextThreads(),
});

/** Bytes of memory of the machine or the container. */
export function machineMemory(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(totalmem(), limit) : totalmem();
}
