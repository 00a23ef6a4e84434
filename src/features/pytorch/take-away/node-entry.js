// heddle in Node: the library of this folder, with the WebGPU of the package webgpu (Dawn).

import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) }, configurable: true });

export * from './heddle.bundle.js';
