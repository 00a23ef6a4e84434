// / <reference types="@webgpu/types" preserve="true" /> The entry 'heddle/node': WebGPU through Dawn, and
// files on disk. Importing it makes Node the platform of `train` and `loadModel`; the entry 'heddle' does so
// by itself in Node.

import { registerPlatform } from './api/platform.ts';
import { nodePlatform } from './host/node-platform.ts';

export { type DawnOptions, dawnAdapters, dawnGpu } from './host/dawn.ts';
export { nodeFiles } from './host/node-files.ts';

registerPlatform(nodePlatform());
