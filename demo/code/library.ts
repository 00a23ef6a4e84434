// The library as the page Code gives it to programs: the modules 'heddle' and 'heddle/engine' in one. The frame has no
// storage of its own, so files that a program saves are in memory, and the page offers them for download.

import { currentPlatform } from '../../src/api/platform.ts';
import { memoryFiles, registerPlatform } from '../../src/index.ts';

const entries = new Map<string, Uint8Array>();
const files = memoryFiles(entries);
const cache = 'cache/';

/** Offers the files at a path for download, but for those of the cache and of a folder that is still written. */
function offer(path: string): void {
  for (const [name, bytes] of entries)
    if ((name === path || name.startsWith(`${path}/`)) && !name.startsWith(cache) && !/\.partial(\/|$)/.test(name))
      globalThis.dispatchEvent(new CustomEvent('heddle-file', { detail: { path: name, bytes } }));
}

registerPlatform({
  ...currentPlatform(),
  files: {
    ...files,
    async write(path, bytes) {
      await files.write(path, bytes);
      offer(path);
    },
    async rename(from, to) {
      await files.rename(from, to);
      offer(to);
    },
  },
  modelPath: (name) => name,
  cachePath: (name) => `${cache}${name}`,
});

export * from '../../src/index.ts';
export * from '../../src/low-level.ts';
