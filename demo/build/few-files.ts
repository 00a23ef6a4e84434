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

/** What every page needs: the common parts, the lowest house of the library, and the names of models. */
const commonModules =
  /[\\/](?:demo[\\/]common|src[\\/]core|lit-html|demo[\\/]storage[\\/]model-names|demo[\\/]train[\\/]page[\\/](?:demo-models|dialogs|decoding-form|word-differences|shared-curve))\b/;

/** The tables of guests, which Train and Documents import first: one file with what they import. */
const guestTables = /[\\/]src[\\/]features[\\/](?:features|pair-format-labels)\.ts$/;

/** Pages: what several of them import first is one file. */
export const fewPageFiles: Plugin = {
  name: 'heddle:few-page-files',
  apply: 'build',
  outputOptions: (output) => ({
    ...output,
    codeSplitting: {
      groups: [
        { name: 'page', test: commonModules, tags: ['$initial'], minShareCount: 2, priority: 1 },
        { name: 'guests', test: guestTables },
      ],
    },
  }),
};
