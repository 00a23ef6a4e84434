import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  // heddle loads parts on demand: workers that do so are ES modules.
  worker: { format: 'es' },
  build: { target: 'es2022' },
});
