// What the plugins of the pages' build have in common: the project's folder, headers, and lists of files.
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** The project's folder. */
export const root = resolve(import.meta.dirname, '../..');

/**
 * Headers for cross-origin isolation, as in src/host/static-server.ts: clocks are finer in an isolated page.
 */
export const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Files under a folder of the project whose names match, as paths from its root. */
export async function textFiles(folder: string, names: RegExp): Promise<string[]> {
  const found = await readdir(resolve(root, folder), { recursive: true });
  return found
    .filter((name) => names.test(name))
    .map((name) => join(folder, name))
    .sort();
}

/**
 * No warnings about an import() of a module that a page has already: another page loads it on demand. No timings, since
 * the workers are separate builds.
 */
export const pageChecks = { ineffectiveDynamicImport: false, pluginTimings: false, bundlerTimings: false };
