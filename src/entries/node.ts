/**
 * The entry 'heddle/node': WebGPU through Dawn, and files on disk. Importing it makes Node the host of `train`
 * and `loadModel`; the entry 'heddle' does so by itself in Node.
 *
 * @module heddle/node
 */

import { nodeHost } from '../host/node-host.ts';
import { registerHost } from '../session/host.ts';

export { type DawnOptions, dawnAdapters, dawnGpu } from '../host/dawn.ts';
export { nodeFiles } from '../host/node-files.ts';

registerHost(nodeHost());
