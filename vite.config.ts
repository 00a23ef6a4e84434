// Two builds: by default the package in dist/, and with `--mode demo` the pages in dist/demo, which `npm run dev`
// serves too. The plugins of the pages are in demo/build/.
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig, esmExternalRequirePlugin, type Plugin, type UserConfig } from 'vite';
import { codeExamples, codePage } from './demo/build/code-page.ts';
import { fewPageFiles, fewWorkerFiles } from './demo/build/few-files.ts';
import { htmlTranslator } from './demo/build/html-translator.ts';
import {
  firefoxEngine,
  installedPeers,
  installedTransformers,
  transformersLibrary,
} from './demo/build/installed-libraries.ts';
import { offline } from './demo/build/offline.ts';
import { cspTag, pageHead, previews } from './demo/build/page-head.ts';
import { isolation, pageChecks } from './demo/build/project-files.ts';
import { shaderTexts } from './demo/build/shader-texts.ts';
import { guides, hub, libraryFile, sourceCode } from './demo/build/site-files.ts';
import { contentSecurityPolicy } from './demo/content-security-policy.ts';
import { pageLanguages } from './demo/page-languages.ts';
import { shortTemplates } from './demo/short-templates.ts';
import { packageEntries } from './scripts/package-entries.mjs';

const root = import.meta.dirname;

/** The entries of the package and its programs, by the names of their files in dist/. */
const entries: Readonly<Record<string, string>> = {
  ...Object.fromEntries(packageEntries.map(({ name, source }) => [name, source])),
  'heddle.node': 'src/entries/heddle.node.ts',
  'heddle.deno': 'src/entries/heddle.deno.ts',
  cli: 'src/commands/main.ts',
  'headless-page': 'src/commands/headless-page.ts',
  'headless-deno': 'src/commands/deno-main.ts',
  'text-thread': 'src/host/text-thread.ts',
};

/** Entries that read files: in Node and Deno they bring the host, as `heddle` does. */
const readingEntries = packageEntries.filter(({ name, hasHost }) => hasHost && name !== 'heddle');

/** Writes dist/data.node.js, dist/data.deno.js and so on: an entry with its host. */
const entriesWithHost: Plugin = {
  name: 'heddle:entries-with-host',
  generateBundle() {
    for (const { name } of readingEntries)
      for (const host of ['node', 'deno'])
        this.emitFile({
          type: 'asset',
          fileName: `${name}.${host}.js`,
          source: `import './heddle.${host}.js';\nexport * from './${name}.js';\n`,
        });
  },
};

/** `dist/heddle.js` of an entry, `dist/modules/engine/graph/graph.js` of another module. npm packs no node_modules. */
const moduleFile = ({ name, isEntry }: { name: string; isEntry: boolean }): string =>
  isEntry && name in entries ? '[name].js' : `modules/${name.replaceAll('node_modules', 'packages')}.js`;

/** Writes dist/headless-page.html, which a headless browser opens. */
const headlessPage: Plugin = {
  name: 'heddle:headless-page',
  generateBundle() {
    const source = `<!doctype html>\n<meta charset="utf-8" />\n${cspTag(contentSecurityPolicy)}\n<title>heddle</title>\n<script type="module" src="headless-page.js"></script>\n`;
    this.emitFile({ type: 'asset', fileName: 'headless-page.html', source });
  },
};

/** The package: a file for each module, readable and with source maps; a bundler takes what a program uses. */
const modules: UserConfig = {
  build: {
    ssr: true,
    outDir: 'dist',
    emptyOutDir: false,
    target: 'es2022',
    sourcemap: true,
    license: { fileName: 'LICENSES.md' },
    rolldownOptions: {
      input: entries,
      platform: 'neutral', // 'node' would import node:module in every page
      output: { entryFileNames: moduleFile, preserveModules: true, preserveModulesRoot: 'src' },
    },
  },
  // Other packages are built into dist/, so that installing heddle installs none; but users install these themselves.
  ssr: { noExternal: true, external: ['onnxruntime-web', 'puppeteer-core', 'webgpu'] },
  plugins: [
    shaderTexts(),
    htmlTranslator(),
    headlessPage,
    entriesWithHost,
    esmExternalRequirePlugin({ external: [/^node:/, 'events', 'readline'] }),
  ],
};

const pages = readdirSync(resolve(root, 'demo')).filter((name) => name.endsWith('.html'));

const demo: UserConfig = {
  root: 'demo',
  base: './',
  publicDir: false,
  cacheDir: resolve(root, 'node_modules/.vite/demo'),
  server: { headers: isolation, fs: { allow: [root] } },
  preview: { headers: isolation },
  worker: {
    format: 'es',
    plugins: () => [installedPeers(), shaderTexts(), htmlTranslator({ asFile: true }), fewWorkerFiles],
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
      input: pages.map((name) => resolve(root, 'demo', name)),
      checks: pageChecks,
    },
  },
  plugins: [
    shaderTexts(),
    htmlTranslator({ asFile: true }),
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
    libraryFile,
    fewPageFiles,
    offline,
  ],
};

export default defineConfig(({ mode }) => (mode === 'demo' ? demo : modules));
