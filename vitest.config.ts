// The three test projects: `cpu` in Node, and the same `*.gpu.test.ts` files on Dawn (`dawn`) and in Chrome (`chrome`).
import { defineConfig } from 'vitest/config';

const gpuTests = 'tests/**/*.gpu.test.ts';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'cpu', include: ['tests/**/*.test.ts'], exclude: [gpuTests] } },
      {
        test: {
          name: 'dawn',
          include: [gpuTests],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
