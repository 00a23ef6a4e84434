// The test projects: `cpu` in Node, the same `*.gpu.test.ts` files on Dawn (`dawn`) and in Chrome (`chrome`),
// and for `npm run test:engines` in Firefox (`firefox`) and Deno (`deno`; Vitest itself runs in Deno), with
// the tests in Node that need Firefox or Deno (`engines`); for `npm run test:full` the `*.full.test.ts`,
// which take minutes (`full`).
import { resolve as resolvePath } from 'node:path';
import { defineConfig } from 'vitest/config';
import { htmlTranslator } from './demo/build/html-translator.ts';
import { puppeteer } from './tests/support/puppeteer-provider.ts';
import { testLimit } from './tests/support/time-limits.ts';

const gpuTests = 'tests/**/*.gpu.test.ts';
const engineTests = 'tests/**/*.engines.test.ts';
const fullTests = 'tests/**/*.full.test.ts';
const full = process.env.HEDDLE_FULL ?? '';
/** llvmpipe compiles for minutes without subgroups, as in Firefox and Deno, and the large tiles that a GPU gets. */
const limits = { testTimeout: testLimit, hookTimeout: testLimit };

/**
 * One file at a time: a software adapter takes every core. Files share modules, each has a device.
 */
const gpu = {
  setupFiles: ['tests/support/watch-gpu.ts'],
  isolate: false,
  include: [gpuTests],
  env: {
    HEDDLE_FULL: full,
    HEDDLE_SHAPE: process.env.HEDDLE_SHAPE ?? '',
    HEDDLE_ADAPTER: process.env.HEDDLE_ADAPTER ?? '',
  },
  fileParallelism: false,
  ...limits,
};

/** Tests in Node. */
const inNode = {
  setupFiles: ['tests/support/remove-scratch.ts'],
  ...limits,
};

/**
 * Compiles kernels on llvmpipe in less than half the time, with the same results: without LLVM's optimizations, and for
 * vectors of 4 lanes instead of 8 or 16. `npm run test:shapes` sets other lanes, test:full takes those of the machine.
 * tests/support/puppeteer-provider.ts sets both for Firefox.
 */
const lanes = { LP_NATIVE_VECTOR_WIDTH: process.env.LP_NATIVE_VECTOR_WIDTH ?? '128' };
const fasterCompiler = full ? {} : { GALLIVM_PERF: 'nopt', ...lanes };

/** The entries of the package, as the examples of docs/ import them. */
const resolve = {
  alias: Object.entries({
    heddle: 'src/entries/heddle.ts',
    'heddle/data': 'src/entries/data.ts',
    'heddle/engine': 'src/engine/index.ts',
    'heddle/reports': 'src/entries/reports.ts',
  }).map(([name, path]) => ({
    find: new RegExp(`^${name}$`),
    replacement: resolvePath(import.meta.dirname, path),
  })),
};

/**
 * Tests that Chrome leaves out unless HEDDLE_FULL is set: what they run on the GPU, other tests run in
 * Chrome: tests/engine/ops a kernel of each family, tests/demo a training, its recovery, and translations by each
 * method of decoding. Dawn runs all of them.
 */
const dawnOnly = [
  'tests/api/**',
  'tests/commands/jobs/**',
  'tests/features/*/commands/**',
  'tests/features/documents/decode/**',
  'tests/bench/{conformance-check,measure-kernels}.gpu.test.ts',
  'tests/examples/**',
  'tests/decode/**',
  'tests/engine/graph/**',
  'tests/engine/ops/{rows,recurrence}/**',
  'tests/engine/ops/matmul/{linear,packed-weights}.gpu.test.ts',
  'tests/engine/ops/norm/layer-norm.gpu.test.ts',
  'tests/engine/ops/loss/projected-loss.gpu.test.ts',
  'tests/engine/ops/attention/relative-position-bias.gpu.test.ts',
  'tests/features/corpora/train/**',
  'tests/model/**',
  'tests/readme.gpu.test.ts',
  'tests/features/speech/{train-speech,frame-source}.gpu.test.ts',
  'tests/engine/gpu/known-adapters.gpu.test.ts',
  'tests/formats/**',
  'tests/train/update/{guided-loss,non-finite,precision,trainable-parameters}.gpu.test.ts',
];

/**
 * The tests of the GPU in Deno. Two files at a time: most of the time llvmpipe compiles, which one thread of
 * a process does.
 */
const deno = {
  ...gpu,
  ...{
    name: 'deno',
    pool: 'forks' as const,
    env: { ...gpu.env, ...fasterCompiler },
  },
  ...{ fileParallelism: true, maxWorkers: 2, sequence: { groupOrder: 1 } },
};

/** The tests of the GPU in a browser. */
const browserProject = (browser: 'chrome' | 'firefox') => ({
  resolve,
  // A scan of dependencies that fails lets Vite find them one by one, and load the page of the tests again for each.
  plugins: [htmlTranslator()],
  optimizeDeps: { exclude: ['webgpu'] },
  test: {
    ...gpu,
    exclude: browser === 'chrome' && !full ? dawnOnly : [],
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
      {
        resolve,
        // Files share the modules of a worker, whose loading is a third of the time.
        test: {
          ...inNode,
          name: 'cpu',
          env: fasterCompiler,
          isolate: false,
          include: ['tests/**/*.test.ts'],
          exclude: [gpuTests, engineTests, fullTests],
        },
      },
      { resolve, test: { ...inNode, name: 'full', include: [fullTests], fileParallelism: false } },
      {
        resolve,
        test: {
          ...inNode,
          env: fasterCompiler,
          name: 'engines',
          include: [engineTests],
          fileParallelism: false,
        },
      },
      { resolve, test: { ...gpu, name: 'dawn', pool: 'forks', env: { ...gpu.env, ...fasterCompiler } } },
      { resolve, test: deno },
      browserProject('chrome'),
      browserProject('firefox'),
    ],
  },
});
