// Three builds into dist/: by default the modules that Node (and, for heddle.js, any bundler) loads, with the packages of
// package.json left outside; with `--mode page` the page that headless Chrome loads, with everything inside; with `--mode demo` the
// demo's pages, which is also what `npm run dev` serves.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Connect, defineConfig, type Plugin, type UserConfig } from 'vite';
import { contentSecurityPolicy } from './demo/content-security-policy.ts';
import { passOn } from './demo/hub-proxy.ts';
import { defaultHub } from './src/hub/repository.ts';

const root = import.meta.dirname;
const policyTag = `<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy}" />`;

/** Shaders without comments and indentation, but for the lines that name includes. */
const shortShaders: Plugin = {
  name: 'heddle:short-shaders',
  apply: 'build',
  enforce: 'pre',
  async load(id) {
    if (!id.endsWith('.wgsl?raw')) return undefined;
    const text = await readFile(id.slice(0, -'?raw'.length), 'utf8');
    const lines = text
      .split('\n')
      .map((line) => (/^\/\/ include /.test(line) ? line : line.replace(/\/\/.*/, '').trim()));
    return `export default ${JSON.stringify(lines.filter(Boolean).join('\n'))};`;
  },
};

/** The entries of the package, by the names of their files in dist/. */
const entries = {
  heddle: 'src/index.ts',
  'heddle.node': 'src/index.node.ts',
  node: 'src/node.ts',
  headless: 'src/headless.ts',
  cli: 'src/cli/main.ts',
};

/** `dist/heddle.js` of an entry, `dist/modules/graph/graph.js` of another module. */
const moduleFile = ({ name, isEntry }: { name: string; isEntry: boolean }): string =>
  isEntry && name in entries ? '[name].js' : 'modules/[name].js';

const modules: UserConfig = {
  build: {
    ssr: true,
    outDir: 'dist',
    emptyOutDir: false,
    target: 'es2022',
    sourcemap: true,
    rolldownOptions: {
      input: entries,
      // One file a module: a bundler leaves out the modules that a program does not use.
      output: { entryFileNames: moduleFile, preserveModules: true, preserveModulesRoot: 'src' },
    },
  },
  plugins: [shortShaders],
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
      input: { page: 'src/run/headless-page.ts' },
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

/** `hub/` of `npm run dev` and `npm run preview` is Hugging Face's hub, or what HF_ENDPOINT says, as for `heddle pull`. */
const hubPath: Plugin = {
  name: 'heddle:hub',
  configureServer: ({ middlewares }) => passHub(middlewares),
  configurePreviewServer: ({ middlewares }) => passHub(middlewares),
};

function passHub(middlewares: Connect.Server): void {
  const answer = passOn(process.env.HF_ENDPOINT || defaultHub);
  middlewares.use((request, response, next) => void answer(request, response).then((done) => done || next(), next));
}

/** The libraries that the kernel lab can time beside, and the packages that they need in bench/peers/node_modules. */
const peers = {
  tfjs: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgpu'],
  jax: ['@jax-js/jax'],
};

/** What demo/lab/virtual.d.ts declares: the peers that are installed, each in files of its own that are loaded when asked for. */
function installedPeers(): Plugin {
  const folder = resolve(root, 'bench/peers');
  const installed = Object.entries(peers)
    .filter(([, packages]) => packages.every((name) => existsSync(join(folder, 'node_modules', name, 'package.json'))))
    .map(([name]) => name);
  const loaders = installed.map((name) => `${name}: () => import(${JSON.stringify(join(folder, `${name}.mjs`))})`);
  const modules: Record<string, string> = {
    'virtual:heddle-peer-names': `export const installed = ${JSON.stringify(installed)};`,
    'virtual:heddle-peers': `export const load = { ${loaders.join(', ')} };`,
  };
  return {
    name: 'heddle:peers',
    resolveId: (id) => (id in modules ? `\0${id}` : undefined),
    load: (id) => (id.startsWith('\0virtual:heddle-') ? modules[id.slice(1)] : undefined),
  };
}

/** Cross-origin isolated, as src/host/static-server.ts has it: that gives the finer clock. */
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

const demo: UserConfig = {
  root: 'demo',
  base: './',
  publicDir: false,
  cacheDir: resolve(root, 'node_modules/.vite/demo'),
  server: { headers: isolation, fs: { allow: [root] } },
  preview: { headers: isolation },
  worker: { format: 'es', plugins: () => [installedPeers()] },
  build: {
    outDir: resolve(root, 'dist/demo'),
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: true,
    chunkSizeWarningLimit: 1500, // a peer is a whole library, and loaded by choice alone
    assetsInlineLimit: 0, // as files: the policy allows no data: addresses
    rolldownOptions: {
      input: { index: resolve(root, 'demo/index.html'), lab: resolve(root, 'demo/lab.html') },
      checks: { pluginTimings: false }, // workers are builds of their own, and take as long as they take
    },
  },
  plugins: [policy, hubPath, installedPeers()],
};

export default defineConfig(({ mode }) => ({ page, demo })[mode] ?? modules);
