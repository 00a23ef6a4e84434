// The library for programs on the page Code: 'heddle' and 'heddle/engine' in one module. The frame has no
// storage, so files that a program saves are in memory, and the page offers them for download.

import { memoryFiles, registerHost } from '../../src/index.ts';

const entries = new Map<string, Uint8Array>();
const files = memoryFiles(entries);
const cache = 'cache/';

/**
 * Offers the files at a path for download, except those of the cache and of folders that are not complete.
 */
function offer(path: string): void {
  for (const [name, bytes] of entries)
    if (
      (name === path || name.startsWith(`${path}/`)) &&
      !name.startsWith(cache) &&
      !/\.partial(\/|$)/.test(name)
    )
      globalThis.dispatchEvent(new CustomEvent('heddle-file', { detail: { path: name, bytes } }));
}

registerHost({
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

export * from '../../src/engine/checked-entry.ts';
export * from '../../src/index.ts';
