// The library as the page Code gives it to programs: the modules 'heddle' and 'heddle/engine' in one. The frame has no
// storage of its own, so files that a program saves are in memory, and the page offers them for download.

import { currentPlatform } from '../../src/api/platform.ts';
import { memoryFiles, registerPlatform } from '../../src/index.ts';

const files = memoryFiles();
registerPlatform({
  ...currentPlatform(),
  files: {
    ...files,
    async write(path, bytes) {
      await files.write(path, bytes);
      globalThis.dispatchEvent(new CustomEvent('heddle-file', { detail: { path, bytes } }));
    },
  },
  modelPath: (name) => name,
});

export * from '../../src/index.ts';
export * from '../../src/low-level.ts';
