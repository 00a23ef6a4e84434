// Few files: each file of a worker is a request of its page.
import type { Plugin } from 'vite';

/**
 * Workers: what a worker imports before anything else is one file; of the rest, small modules that the same import()s
 * share are one. Merged files may import each other: `strictExecutionOrder` keeps the order of their modules.
 */
export const fewWorkerFiles: Plugin = {
  name: 'heddle:few-worker-files',
  outputOptions: (output) => ({
    ...output,
    strictExecutionOrder: true,
    codeSplitting: {
      groups: [
        { name: 'first', tags: ['$initial'], priority: 1 },
        { name: 'shared', minShareCount: 2, entriesAware: true, entriesAwareMergeThreshold: 24_000 },
      ],
    },
  }),
};
