// The golden cases of tests/fixtures for either host.

import { HeddleError } from '../../src/core/errors.ts';
import type { Files } from '../../src/files/files.ts';

/** Names of the cases in tests/fixtures/golden. */
export const goldenNames = ['odd-post', 'options-pre', 'long-tied'] as const;

/** The folder of a case, as `fixtureFiles` takes it. */
export const goldenFolder = (name: string): string => `tests/fixtures/golden/${name}`;

const reject = (): never => {
  throw new Error('these files can only be read');
};

/** Files by their path from the project's root: from the disk in Node, from Vite's server in a page. */
export const fixtureFiles: Files = {
  async read(path) {
    if (typeof window === 'undefined') {
      const { readFile } = await import('node:fs/promises');
      return readFile(path).then(
        (bytes) => new Uint8Array(bytes),
        () => {
          throw new HeddleError(`${path}: cannot be read`);
        },
      );
    }
    const response = await fetch(`/${path}`);
    if (!response.ok) throw new HeddleError(`${path}: cannot be read`);
    return new Uint8Array(await response.arrayBuffer());
  },
  write: reject,
  async exists(path) {
    if (typeof window === 'undefined') {
      const { existsSync } = await import('node:fs');
      return existsSync(path);
    }
    // The server may answer a missing file with a page.
    const response = await fetch(`/${path}`);
    return response.ok && !response.headers.get('content-type')?.startsWith('text/html');
  },
  list: reject,
  rename: reject,
  remove: reject,
};
