// Two builds into dist/: by default the modules that Node (and, for heddle.js, any bundler) loads, with the packages of
// package.json left outside; with `--mode page` the page that headless Chrome loads, with everything inside.
import { defineConfig, type UserConfig } from 'vite';

const modules: UserConfig = {
  build: {
    ssr: true,
    outDir: 'dist',
    emptyOutDir: false,
    target: 'es2022',
    sourcemap: true,
    rolldownOptions: {
      input: { heddle: 'src/index.ts', headless: 'src/headless.ts', cli: 'src/cli/main.ts' },
      output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
    },
  },
};

const page: UserConfig = {
  base: './',
  publicDir: false,
  build: {
    outDir: 'dist/page',
    target: 'es2022',
    sourcemap: true,
    modulePreload: false,
    rolldownOptions: {
      input: { page: 'src/host/page.ts' },
      output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      preserveEntrySignatures: false,
    },
  },
  plugins: [
    {
      name: 'heddle:index-html',
      generateBundle() {
        const source =
          '<!doctype html>\n<meta charset="utf-8" />\n<title>heddle</title>\n<script type="module" src="page.js"></script>\n';
        this.emitFile({ type: 'asset', fileName: 'index.html', source });
      },
    },
  ],
};

export default defineConfig(({ mode }) => (mode === 'page' ? page : modules));
