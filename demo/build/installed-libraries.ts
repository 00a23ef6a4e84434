// Other libraries that a page loads on demand if they are installed: those that the kernel lab compares with, and
// the engine of Firefox Translations.
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Plugin } from 'vite';
import { isolation, root } from './project-files.ts';

/**
 * Libraries that the kernel lab can compare with, and the packages that they need in
 * bench/peers/node_modules.
 */
const peers = {
  tfjs: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgpu'],
  jax: ['@jax-js/jax'],
};

/**
 * Virtual modules of demo/lab/virtual.d.ts: the installed libraries, each in its own chunk, loaded on demand.
 */
export function installedPeers(): Plugin {
  const folder = resolve(root, 'bench/peers');
  const installed = Object.entries(peers)
    .filter(([, packages]) =>
      packages.every((name) => existsSync(join(folder, 'node_modules', name, 'package.json'))),
    )
    .map(([name]) => name);
  const loaders = installed.map(
    (name) => `${name}: () => import(${JSON.stringify(join(folder, `${name}.mjs`))})`,
  );
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

/** The module of demo/lab/virtual.d.ts that says whether the build has transformers.js. */
export const installedTransformers: Plugin = {
  name: 'heddle:installed-transformers',
  resolveId: (id) => (id === 'virtual:heddle-transformers' ? `\0${id}` : undefined),
  load: (id) => (id === '\0virtual:heddle-transformers' ? describeTransformers() : undefined),
};

/** The folder of a package that a page loads on demand: installed here or by bench:decode; undefined if it is not. */
const packageFolder = (name: string): string | undefined =>
  ['node_modules', 'bench/decode/node_modules']
    .map((folder) => resolve(root, folder, name))
    .find((folder) => existsSync(folder));

/** Copies files beside the pages, and serves them with `npm run dev`. `files`: paths by name. */
const copiedFiles = (folder: string, files: Readonly<Record<string, string>>): Plugin => ({
  name: `heddle:${folder}`,
  async generateBundle() {
    for (const [name, path] of Object.entries(files))
      this.emitFile({ type: 'asset', fileName: `${folder}/${name}`, source: await readFile(path) });
  },
  configureServer({ middlewares }) {
    middlewares.use(`/${folder}`, (request, response, next) => {
      const path = files[new URL(request.url ?? '/', 'http://page').pathname.slice(1)];
      if (path === undefined) return next();
      const type = path.endsWith('.wasm') ? 'application/wasm' : 'text/javascript';
      readFile(path).then(
        (bytes) => response.writeHead(200, { 'Content-Type': type, ...isolation }).end(bytes),
        next,
      );
    });
  },
});

/** Paths of files of a folder by name; none if there is no folder. */
const filesIn = (folder: string | undefined, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(folder === undefined ? [] : names.map((name) => [name, join(folder, name)]));

/**
 * The engine of Firefox Translations, which the page Train loads on demand: the wasm of bergamot-translator, its
 * script, and the worker that runs them. Without the package the page says that the engine is missing.
 */
export const firefoxEngine = copiedFiles('firefox', {
  'engine-worker.js': resolve(root, 'demo/train/page/firefox-worker.js'),
  ...filesIn(packageFolder('@browsermt/bergamot-translator/worker'), [
    'bergamot-translator-worker.js',
    'bergamot-translator-worker.wasm',
  ]),
});

/**
 * transformers.js and the runtime that it decodes with, which the kernel lab loads if the visitor agrees. Without the
 * package the lab says that it is missing.
 */
const transformersPackage = packageFolder('@huggingface/transformers');
const transformersFiles = {
  ...filesIn(transformersPackage && join(transformersPackage, 'dist'), ['transformers.min.js']),
  ...filesIn(transformersPackage && packageFolder('onnxruntime-web/dist'), [
    'ort-wasm-simd-threaded.mjs',
    'ort-wasm-simd-threaded.wasm',
  ]),
};
export const transformersLibrary = copiedFiles('transformers', transformersFiles);

/** The version and the bytes of transformers.js, for the kernel lab; undefined if it is not installed. */
async function describeTransformers(): Promise<string> {
  if (transformersPackage === undefined) return 'export const transformers = undefined;';
  const { version } = JSON.parse(await readFile(join(transformersPackage, 'package.json'), 'utf8'));
  const sizes = await Promise.all(Object.values(transformersFiles).map((path) => stat(path)));
  const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
  return `export const transformers = ${JSON.stringify({ version, bytes })};`;
}
