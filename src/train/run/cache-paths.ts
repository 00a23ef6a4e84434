// Paths of the caches of a run, beside its model folder or archive.

const besideRun =
  (ending: string) =>
  (out: string): string =>
    `${out.replace(/\.zip$/i, '')}${ending}`;

/** Path of the cache of token ids (token-cache.ts) of a model folder or archive. */
export const tokenCachePath = besideRun('.tokens');

/** Path of the cache of frames (frame-cache.ts) of a model folder or archive. */
export const frameCachePath = besideRun('.frames');
