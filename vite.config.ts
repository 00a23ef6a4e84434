// Three builds into dist/: by default the modules that Node (and, for heddle.js, any bundler) loads, with the packages of
// package.json left outside; with `--mode page` the page that headless Chrome loads, with everything inside; with `--mode demo` the
// demo's pages, which is also what `npm run dev` serves.
import { resolve } from 'node:path';
import { defineConfig, type Plugin, type UserConfig } from 'vite';
import { contentSecurityPolicy } from './demo/policy.ts';

const root = import.meta.dirname;
const policyTag = `<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy}" />`;

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
        const source = `<!doctype html>\n<meta charset="utf-8" />\n${policyTag}\n<title>heddle</title>\n<script type="module" src="page.js"></script>\n`;
        this.emitFile({ type: 'asset', fileName: 'index.html', source });
      },
    },
  ],
};

/** The policy, in built pages alone: the development server puts scripts and styles of its own into them. */
const policy: Plugin = {
  name: 'heddle:policy',
  apply: 'build',
  transformIndexHtml: {
    order: 'pre',
    handler: (html) => html.replace(/<meta charset="utf-8" ?\/?>/i, `$&\n    ${policyTag}`),
  },
};

/** Cross-origin isolated, as src/host/server.ts has it: that gives the finer clock. */
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

const demo: UserConfig = {
  root: 'demo',
  base: './',
  publicDir: false,
  cacheDir: resolve(root, 'node_modules/.vite/demo'),
  server: { headers: isolation, fs: { allow: [root] } },
  preview: { headers: isolation },
  worker: { format: 'es' },
  build: {
    outDir: resolve(root, 'dist/demo'),
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: true,
    assetsInlineLimit: 0, // as files: the policy allows no data: addresses
    rolldownOptions: { input: { index: resolve(root, 'demo/index.html'), lab: resolve(root, 'demo/lab.html') } },
  },
  plugins: [policy],
};

export default defineConfig(({ mode }) => ({ page, demo })[mode] ?? modules);
