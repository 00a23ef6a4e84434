// The test projects: `cpu` in Node, the same `*.gpu.test.ts` files on Dawn (`dawn`) and in Chrome (`chrome`), and for
// `npm run test:engines` in Firefox (`firefox`) and Deno (`deno`; Vitest itself runs in Deno), with the tests in Node that need Firefox or Deno
// (`engines`); for `npm run test:full` the `*.full.test.ts`, which take minutes (`full`).
import { resolve as resolvePath } from 'node:path';
import { defineConfig } from 'vitest/config';
import { puppeteer } from './tests/support/puppeteer-provider.ts';

const gpuTests = 'tests/**/*.gpu.test.ts';
const engineTests = 'tests/**/*.engines.test.ts';
const fullTests = 'tests/**/*.full.test.ts';
/** One file at a time: a software adapter takes every core; and longer limits, since it is slow. */
const gpu = {
  include: [gpuTests],
  env: { HEDDLE_FULL: process.env.HEDDLE_FULL ?? '', HEDDLE_SHAPE: process.env.HEDDLE_SHAPE ?? '' },
  fileParallelism: false,
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

/** The entries of the package, as the examples of docs/ import them. */
const resolve = { alias: { 'heddle/engine': resolvePath(import.meta.dirname, 'src/low-level.ts') } };

/** The tests of the GPU in a browser. */
const browserProject = (browser: 'chrome' | 'firefox') => ({
  resolve,
  optimizeDeps: { exclude: ['webgpu'] },
  test: {
    ...gpu,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: puppeteer(),
      instances: [{ browser, name: browser }],
    },
  },
});

export default defineConfig({
  test: {
    projects: [
      { resolve, test: { name: 'cpu', include: ['tests/**/*.test.ts'], exclude: [gpuTests, engineTests, fullTests] } },
      { resolve, test: { name: 'full', include: [fullTests], fileParallelism: false } },
      { resolve, test: { name: 'engines', include: [engineTests], fileParallelism: false } },
      { resolve, test: { ...gpu, name: 'dawn', pool: 'forks' } },
      { resolve, test: { ...gpu, name: 'deno', pool: 'forks' } },
      browserProject('chrome'),
      browserProject('firefox'),
    ],
  },
});
