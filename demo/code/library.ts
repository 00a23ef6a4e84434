// The library for programs on the page Code: the entries of the package in one module. The frame has no
// storage, so files that a program saves are in memory, and the page offers them for download.

import * as engine from '../../src/engine/index.ts';
import * as data from '../../src/entries/data.ts';
import * as documents from '../../src/entries/documents.ts';
import * as heddle from '../../src/entries/heddle.ts';
import * as host from '../../src/entries/host.ts';
import * as metrics from '../../src/entries/metrics.ts';
import * as reports from '../../src/entries/reports.ts';
import * as speech from '../../src/entries/speech.ts';

const { memoryFiles, registerHost } = host;

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

/** The names of each entry, by what programs import. */
export const entryNames = Object.fromEntries(
  Object.entries({
    heddle,
    'heddle/data': data,
    'heddle/metrics': metrics,
    'heddle/reports': reports,
    'heddle/documents': documents,
    'heddle/speech': speech,
    'heddle/engine': engine,
    'heddle/host': host,
  }).map(([entry, names]) => [entry, Object.keys(names)]),
);

export * from '../../src/engine/index.ts';
export * from '../../src/entries/data.ts';
export * from '../../src/entries/documents.ts';
export * from '../../src/entries/heddle.ts';
export * from '../../src/entries/host.ts';
export * from '../../src/entries/metrics.ts';
export * from '../../src/entries/reports.ts';
export * from '../../src/entries/speech.ts';
