// The three test projects: `cpu` in Node, and the same `*.gpu.test.ts` files on Dawn (`dawn`) and in Chrome (`chrome`).
import { resolve as resolvePath } from 'node:path';
import { defineConfig } from 'vitest/config';
import { puppeteer } from './tests/support/puppeteer-provider.ts';

const gpuTests = 'tests/**/*.gpu.test.ts';
/** One file at a time: a software adapter takes every core; and longer limits, since it is slow. */
const gpu = { include: [gpuTests], fileParallelism: false, testTimeout: 60_000, hookTimeout: 60_000 };

/** The entries of the package, as the examples of docs/ import them. */
const resolve = { alias: { 'heddle/engine': resolvePath(import.meta.dirname, 'src/low-level.ts') } };

export default defineConfig({
  test: {
    projects: [
      { resolve, test: { name: 'cpu', include: ['tests/**/*.test.ts'], exclude: [gpuTests] } },
      { resolve, test: { ...gpu, name: 'dawn', pool: 'forks' } },
      {
        resolve,
        optimizeDeps: { exclude: ['webgpu'] },
        test: {
          ...gpu,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: puppeteer(),
            instances: [{ browser: 'chrome', name: 'chrome' }],
          },
        },
      },
    ],
  },
});
