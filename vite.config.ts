// Builds into dist/: by default the modules for Node, bundlers, headless browsers and Deno, with the packages
// that they use inside; with `--mode demo` the pages of the demo, which `npm run dev` serves too.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import {
  build,
  type Connect,
  defineConfig,
  esmExternalRequirePlugin,
  type HtmlTagDescriptor,
  minifySync,
  type Plugin,
  type UserConfig,
} from 'vite';
import { contentSecurityPolicy, trainingPagePolicy } from './demo/content-security-policy.ts';
import { examplePrograms } from './demo/example-programs.ts';
import { hubProxy } from './demo/hub-proxy.ts';
import { pageLanguages } from './demo/page-languages.ts';
import { shortTemplates } from './demo/short-templates.ts';
import { zipParts } from './src/files/zip.ts';
import { defaultHub } from './src/session/host.ts';

const root = import.meta.dirname;
const cspTag = (policy: string) => `<meta http-equiv="Content-Security-Policy" content="${policy}" />`;

/** A WGSL file without indentation and comments except those that the loader reads (`// include`, `// unroll`). */
async function shortShader(path: string): Promise<string> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  const short = lines.map((line) =>
    (/^\s*\/\/ (include|unroll)\b/.test(line) ? line : line.replace(/\/\/.*/, '')).trim(),
  );
  return short.filter(Boolean).join('\n');
}

/**
 * Puts the shaders into one module, shortened: fewer and smaller files to install. Those of frames, rows and
 * products are in the modules of their ops, which are loaded on demand.
 */
const shortShaders: Plugin = {
  name: 'heddle:short-shaders',
  apply: 'build',
  enforce: 'pre',
  async load(id) {
    const [, path] = /^(.*\.wgsl)\?raw$/.exec(id) ?? [];
    return path === undefined ? undefined : `export default ${JSON.stringify(await shortShader(path))};`;
  },
  transform: (code, id) => (id.endsWith('src/engine/gpu/shaders.ts') ? withShortShaders(code) : undefined),
};

/** The module of the shaders, its glob replaced by their shortened texts. */
async function withShortShaders(code: string): Promise<{ code: string; map: null }> {
  const texts: Record<string, string> = {};
  for (const path of await textFiles('shaders', /\.wgsl$/))
    if (!/^shaders\/(frames|rows)\/|\/products\.wgsl$/.test(path))
      texts[`../../../${path}`] = await shortShader(resolve(root, path));
  return { code: code.replace(/import\.meta\.glob\([^)]*\)/, () => JSON.stringify(texts)), map: null };
}

/** Shortens the shaders of all workers of the pages except the kernel lab, whose visitors read and edit them. */
function shortWorkerShaders(): Plugin {
  let readable = false;
  return {
    name: 'heddle:short-worker-shaders',
    enforce: 'pre',
    buildStart({ input }) {
      readable = JSON.stringify(input).includes('/demo/lab/');
    },
    transform: (code, id) =>
      !readable && id.endsWith('src/engine/gpu/shaders.ts') ? withShortShaders(code) : undefined,
  };
}

/** Minifies the packages inside dist/: the installed package stays small. */
const shortPackages: Plugin = {
  name: 'heddle:short-packages',
  apply: 'build',
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle))
      if (chunk.type === 'chunk' && chunk.fileName.startsWith('modules/packages/'))
        chunk.code = minifySync(chunk.fileName, chunk.code).code;
  },
};

/** Resolves `require('string-width')` of a package to the version that the command line has too. */
const ownStringWidth: Plugin = {
  name: 'heddle:own-string-width',
  resolveId: (id) => (id === 'string-width' ? '\0string-width' : undefined),
  load: (id) =>
    id === '\0string-width'
      ? "import stringWidth from 'string-width';\nexport { stringWidth as 'module.exports' };"
      : undefined,
};

/** Bundles packages of the command line that have many small files: each becomes one module. */
const wholePackages: Plugin = {
  name: 'heddle:whole-packages',
  apply: 'build',
  enforce: 'pre',
  resolveId: (id) =>
    id === 'cli-progress' || id === 'commander' ? resolve(root, `node_modules/${id}/whole.js`) : undefined,
  async load(id) {
    const name = /node_modules\/([\w-]+)\/whole\.js$/.exec(id)?.[1];
    if (!name) return undefined;
    const bundle = await rolldown({
      input: name,
      cwd: root,
      platform: 'node',
      external: (id, importer) => id.startsWith('node:') || importer === '\0string-width',
      plugins: [ownStringWidth],
    });
    const { output } = await bundle.generate({ format: 'esm', minify: true });
    return output[0].code;
  },
};

/** The entries of the package, by the names of their files in dist/. */
const entries = {
  heddle: 'src/index.ts',
  'heddle.node': 'src/index.node.ts',
  'heddle.deno': 'src/index.deno.ts',
  node: 'src/node.ts',
  engine: 'src/engine/checked-entry.ts',
  headless: 'src/headless.ts',
  cli: 'src/commands/main.ts',
  'headless-page': 'src/commands/headless-page.ts',
  'headless-deno': 'src/commands/deno-main.ts',
  'text-thread': 'src/host/text-thread.ts',
};

/** Writes dist/headless-page.html, which a headless browser opens. */
const headlessPage: Plugin = {
  name: 'heddle:headless-page',
  generateBundle() {
    const source = `<!doctype html>\n<meta charset="utf-8" />\n${cspTag(contentSecurityPolicy)}\n<title>heddle</title>\n<script type="module" src="headless-page.js"></script>\n`;
    this.emitFile({ type: 'asset', fileName: 'headless-page.html', source });
  },
};

/**
 * `dist/heddle.js` of an entry, `dist/modules/engine/graph/graph.js` of another module. npm packs no folder
 * named node_modules.
 */
const moduleFile = ({ name, isEntry }: { name: string; isEntry: boolean }): string =>
  isEntry && name in entries ? '[name].js' : `modules/${shortName(name)}.js`;

/**
 * Name of a module without most of its folders, each of which takes 4 KiB: `packages/papaparse`,
 * `virtual/runtime` (of the bundler).
 */
const shortName = (name: string): string =>
  name
    .replace(/^.*node_modules\/(?:@[^/]+\/)?([^/]+)\/.*$/, 'packages/$1')
    .replace(/^_virtual\/.*\//, 'virtual/');

/**
 * Packages that some programs need and users install themselves: optional peer dependencies in package.json.
 */
const optionalPackages = ['onnxruntime-web', 'puppeteer-core', 'webgpu'];

const modules: UserConfig = {
  build: {
    ssr: true,
    outDir: 'dist',
    emptyOutDir: false,
    target: 'es2022',
    license: { fileName: 'LICENSES.md' },
    rolldownOptions: {
      input: entries,
      platform: 'neutral', // 'node' would import node:module in every page
      // One file per module: a bundler leaves out the modules that a program does not use.
      output: {
        entryFileNames: moduleFile,
        preserveModules: true,
        preserveModulesRoot: 'src',
        comments: { annotation: true, jsdoc: false, legal: true },
      },
    },
  },
  // Packages are bundled into dist/, so that installing heddle installs no others.
  ssr: { noExternal: true, external: optionalPackages },
  plugins: [
    shortShaders,
    shortPackages,
    wholePackages,
    headlessPage,
    esmExternalRequirePlugin({ external: [/^node:/, 'events', 'readline'] }),
  ],
};

/** Lines that the heads of all pages have in common. */
const commonHead = [
  '<meta name="viewport" content="width=device-width, initial-scale=1" />',
  '<meta name="color-scheme" content="light dark" />',
  '<link rel="icon" href="./icon.svg" />',
  '<link rel="stylesheet" href="./style.css" />',
];

/**
 * Open Graph tags, from which a chat or a social network makes the preview of a link. Their addresses are absolute
 * if SITE_URL has the address of the site; without it they are relative, which most readers resolve.
 */
const previews: Plugin = {
  name: 'heddle:previews',
  // After Vite's own, which would make an asset of the picture, that each visitor loads.
  transformIndexHtml: { order: 'post', handler: (html, { path }) => previewTags(html, path) },
};

function previewTags(html: string, path: string): HtmlTagDescriptor[] {
  const site = process.env.SITE_URL ? `${process.env.SITE_URL.replace(/\/$/, '')}/` : './';
  const [, title = 'heddle'] = /<title>(.+?)<\/title>/.exec(html) ?? [];
  const [, text = ''] = /<meta name="description" content="(.+?)"/.exec(html) ?? [];
  const properties = {
    'og:type': 'website',
    'og:site_name': 'heddle',
    'og:title': title,
    'og:description': text,
    'og:url': `${site}${path.slice(1).replace('index.html', '')}`,
    'og:image': `${site}screenshots/train.png`,
    'og:image:alt': 'The training page: loss curves, attention and translations of a model in training',
    'twitter:card': 'summary_large_image',
  };
  return Object.entries(properties).map(([property, content]) => ({
    tag: 'meta',
    attrs: { property, content },
    injectTo: 'head',
  }));
}

/** Pages that download models from the hub. */
const pullingPages = new Set(['/index.html', '/speech.html']);

/**
 * Adds these lines to each page, and the content security policy to built ones: it would block scripts and
 * styles that the development server injects.
 */
const pageHead: Plugin = {
  name: 'heddle:page-head',
  transformIndexHtml: {
    order: 'pre',
    handler(html, { path, server }) {
      const policy = cspTag(pullingPages.has(path) ? trainingPagePolicy : contentSecurityPolicy);
      const lines = ['<head>', '<meta charset="utf-8" />', ...(server ? [] : [policy]), ...commonHead];
      return html.replace('<head>', lines.join('\n    '));
    },
  },
};

/**
 * Serves the proxy `hub/` with `npm run dev` and `npm run preview`: it forwards to Hugging Face, or to the
 * hub of HF_ENDPOINT.
 */
const hub: Plugin = {
  name: 'heddle:hub-proxy',
  configureServer: ({ middlewares }) => useHubProxy(middlewares),
  configurePreviewServer: ({ middlewares }) => useHubProxy(middlewares),
};

function useHubProxy(middlewares: Connect.Server): void {
  const proxy = hubProxy(process.env.HF_ENDPOINT || defaultHub);
  middlewares.use(
    (request, response, next) => void proxy(request, response).then((done) => done || next(), next),
  );
}

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
function installedPeers(): Plugin {
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
const installedTransformers: Plugin = {
  name: 'heddle:installed-transformers',
  resolveId: (id) => (id === 'virtual:heddle-transformers' ? `\0${id}` : undefined),
  load: (id) => (id === '\0virtual:heddle-transformers' ? describeTransformers() : undefined),
};

/** The module of the examples of the page Code. */
const codeExamples: Plugin = {
  name: 'heddle:examples',
  resolveId: (id) => (id === 'virtual:heddle-examples' ? `\0${id}` : undefined),
  async load(id) {
    if (id !== '\0virtual:heddle-examples') return undefined;
    const [readme = '', guide = ''] = await Promise.all(
      ['README.md', 'docs/examples.md'].map((path) => readFile(resolve(root, path), 'utf8')),
    );
    return `export const examples = ${JSON.stringify(examplePrograms(readme, guide))};`;
  },
};

/**
 * No warnings about import() that does not split a chunk: these pages train, so they contain what a page that
 * only translates loads on demand (tests/api/bundle-size.test.ts). No timings, since the workers are separate
 * builds.
 */
const pageChecks = { ineffectiveDynamicImport: false, pluginTimings: false, bundlerTimings: false };

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
const firefoxEngine = copiedFiles('firefox', {
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
const transformersLibrary = copiedFiles('transformers', transformersFiles);

/** The version and the bytes of transformers.js, for the kernel lab; undefined if it is not installed. */
async function describeTransformers(): Promise<string> {
  if (transformersPackage === undefined) return 'export const transformers = undefined;';
  const { version } = JSON.parse(await readFile(join(transformersPackage, 'package.json'), 'utf8'));
  const sizes = await Promise.all(Object.values(transformersFiles).map((path) => stat(path)));
  const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
  return `export const transformers = ${JSON.stringify({ version, bytes })};`;
}

/** Text of the library as one module, which the programs of the page Code import. */
let codeLibrary: Promise<string> | undefined;
function buildCodeLibrary(): Promise<string> {
  codeLibrary ??= build({
    configFile: false,
    root,
    logLevel: 'warn',
    plugins: [shortShaders],
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: resolve(root, 'demo/code/library.ts'), formats: ['es'] },
      rolldownOptions: { output: { codeSplitting: false }, checks: pageChecks },
    },
  }).then((results) => {
    const [output] = [results].flat() as { output: { type: string; code?: string }[] }[];
    return output?.output.find(({ type }) => type === 'chunk')?.code ?? '';
  });
  return codeLibrary;
}

/**
 * code-frame.html, the frame that programs run in: its script is inline, and its policy allows only that
 * script and programs.
 */
async function codeFrame(): Promise<string> {
  const script = await readFile(resolve(root, 'demo/code/frame.js'), 'utf8');
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = `default-src 'none'; script-src 'sha256-${hash}' blob:`;
  return `<!doctype html>\n<meta charset="utf-8" />\n<meta http-equiv="Content-Security-Policy" content="${policy}" />\n<title>Program</title>\n<script>${script}</script>\n`;
}

/** Serves and builds code-frame.html and code/library.js, which the page Code loads as files. */
const codePage: Plugin = {
  name: 'heddle:code-page',
  async generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'code-frame.html', source: await codeFrame() });
    this.emitFile({ type: 'asset', fileName: 'code/library.js', source: await buildCodeLibrary() });
  },
  configureServer({ middlewares }) {
    const send = (path: string, type: string, text: () => Promise<string>) =>
      middlewares.use(path, (_, response, next) => {
        const answer = (body: string) =>
          response.writeHead(200, { 'Content-Type': type, ...isolation, ...forFrame }).end(body);
        text().then(answer, next);
      });
    send('/code-frame.html', 'text/html', codeFrame);
    send('/code/library.js', 'text/javascript', buildCodeLibrary);
  },
  configurePreviewServer({ middlewares }) {
    middlewares.use('/code-frame.html', (_, response, next) => {
      for (const [name, value] of Object.entries(forFrame)) response.setHeader(name, value);
      next();
    });
  },
};

/**
 * Header of code-frame.html: without it Firefox, which treats the sandboxed frame as another origin, does not
 * load it in an isolated page.
 */
const forFrame = { 'Cross-Origin-Resource-Policy': 'cross-origin' };

/**
 * Headers for cross-origin isolation, as in src/host/static-server.ts: clocks are finer in an isolated page.
 */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * Adds a service worker, which caches the files of the pages, and a manifest: the pages open offline and can
 * be installed.
 */
const offline: Plugin = {
  name: 'heddle:offline',
  apply: 'build',
  enforce: 'post',
  async generateBundle(_, bundle) {
    const names = Object.keys(bundle).filter(
      (name) =>
        !/\.(?:map|safetensors|json|zip|txt|wasm|wav)$|\/ort\.|^(?:firefox|transformers)\//.test(name),
    );
    const pages = ['./', ...names.filter((name) => name !== 'index.html'), 'index.html'];
    const worker = await readFile(resolve(root, 'demo/service-worker.js'), 'utf8');
    const version = createHash('sha256').update(names.join()).digest('hex').slice(0, 12);
    const source = worker.replace('__VERSION__', version).replace('__FILES__', JSON.stringify(pages));
    this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
    const icons = [
      { src: 'icon.svg', sizes: 'any', type: 'image/svg+xml' },
      ...[192, 512].map((size) => ({
        src: `icons/icon-${size}.png`,
        sizes: `${size}x${size}`,
        type: 'image/png',
        purpose: 'any maskable',
      })),
    ];
    const manifest = { name: 'heddle', short_name: 'heddle', start_url: './', display: 'standalone', icons };
    this.emitFile({ type: 'asset', fileName: 'manifest.webmanifest', source: JSON.stringify(manifest) });
    this.emitFile({
      type: 'asset',
      fileName: 'icon.svg',
      source: await readFile(resolve(root, 'demo/icon.svg')),
    });
    for (const path of [
      'icons/icon-180.png',
      'icons/icon-192.png',
      'icons/icon-512.png',
      'screenshots/train.png',
    ])
      this.emitFile({ type: 'asset', fileName: path, source: await readFile(resolve(root, 'demo', path)) });
  },
  transformIndexHtml: () => [
    { tag: 'link', attrs: { rel: 'manifest', href: './manifest.webmanifest' }, injectTo: 'head' },
    { tag: 'link', attrs: { rel: 'apple-touch-icon', href: './icons/icon-180.png' }, injectTo: 'head' },
  ],
};

/** Serves the documentation that `npm run build` or `npm run docs` wrote, with `npm run dev` too. */
const guides: Plugin = {
  name: 'heddle:guides',
  configureServer: ({ middlewares }) => {
    middlewares.use('/docs', (request, response) => {
      const path = join(root, 'dist/demo/docs', new URL(request.url ?? '/', 'http://page').pathname);
      const type = typeOfFile[extname(path)] ?? 'text/plain';
      readFile(path).then(
        (bytes) => response.writeHead(200, { 'Content-Type': type, ...isolation }).end(bytes),
        () => response.writeHead(404).end('Run "npm run docs" first: it writes the documentation.'),
      );
    });
  },
};

const typeOfFile: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** Adds the source code, to which the footer of the pages links: heddle-source.zip. */
const sourceCode: Plugin = {
  name: 'heddle:source-code',
  apply: 'build',
  async generateBundle() {
    const sources = ['package.json', 'LICENSE', 'README.md', 'ARCHITECTURE.md', 'CHANGELOG.md'];
    sources.push(...(await textFiles('docs', /\.md$/)));
    for (const folder of ['src', 'shaders', 'demo'])
      sources.push(...(await textFiles(folder, /\.(?:ts|wgsl|html|css)$|^texts\/.*\.json$/)));
    const files = await Promise.all(sources.map(async (path) => [path, await readFile(path)] as const));
    const source = Buffer.concat(zipParts(Object.fromEntries(files)));
    this.emitFile({ type: 'asset', fileName: 'heddle-source.zip', source });
  },
};

/** Files under a folder of the project whose names match, as paths from its root. */
async function textFiles(folder: string, names: RegExp): Promise<string[]> {
  const found = await readdir(resolve(root, folder), { recursive: true });
  return found
    .filter((name) => names.test(name))
    .map((name) => join(folder, name))
    .sort();
}

const demo: UserConfig = {
  root: 'demo',
  base: './',
  publicDir: false,
  cacheDir: resolve(root, 'node_modules/.vite/demo'),
  server: { headers: isolation, fs: { allow: [root] } },
  preview: { headers: isolation },
  worker: {
    format: 'es',
    plugins: () => [installedPeers(), shortWorkerShaders()],
    rolldownOptions: { checks: pageChecks },
  },
  build: {
    outDir: resolve(root, 'dist/demo'),
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: true,
    chunkSizeWarningLimit: 1500, // peers are whole libraries, loaded on demand
    assetsInlineLimit: 0, // as files: the policy allows no data: URLs
    rolldownOptions: {
      input: {
        index: resolve(root, 'demo/index.html'),
        documents: resolve(root, 'demo/documents.html'),
        speech: resolve(root, 'demo/speech.html'),
        language: resolve(root, 'demo/language.html'),
        learn: resolve(root, 'demo/learn.html'),
        lab: resolve(root, 'demo/lab.html'),
        code: resolve(root, 'demo/code.html'),
      },
      checks: pageChecks,
    },
  },
  plugins: [
    shortTemplates,
    pageHead,
    pageLanguages,
    previews,
    hub,
    installedPeers(),
    installedTransformers,
    codeExamples,
    codePage,
    firefoxEngine,
    transformersLibrary,
    guides,
    sourceCode,
    offline,
  ],
};

export default defineConfig(({ mode }) => (mode === 'demo' ? demo : modules));
