// SHA-256 of a file in a thread of Node: the thread reads and hashes, so that the caller can go on loading.

import { Worker } from 'node:worker_threads';

/** Bytes that the thread reads at a time: they stay in the cache of its core. */
const bufferBytes = 2 ** 18;

/** The program of the thread, as text: it works from the sources, the build and bundles alike. */
const program = `
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const { parentPort, workerData: { path, bufferBytes } } = require('node:worker_threads');
const hash = createHash('sha256');
const buffer = Buffer.allocUnsafeSlow(bufferBytes);
const file = fs.openSync(path);
for (let n = fs.readSync(file, buffer); n > 0; n = fs.readSync(file, buffer)) hash.update(buffer.subarray(0, n));
fs.closeSync(file);
parentPort.postMessage(hash.digest('hex'));
`;

/**
 * SHA-256 of a file in hexadecimal; undefined if no thread could hash it, for example because it cannot be read.
 */
export function sha256InThread(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const worker = new Worker(program, { eval: true, workerData: { path, bufferBytes } });
    worker.once('message', resolve);
    worker.once('error', () => resolve(undefined));
    worker.once('exit', () => resolve(undefined));
  });
}
