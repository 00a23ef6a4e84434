// What else the site has: the proxy of the hub, the documentation, and the source code as a zip archive.
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Connect, Plugin } from 'vite';
import { zipParts } from '../../src/files/zip.ts';
import { defaultHub } from '../../src/session/host.ts';
import { hubProxy } from '../hub-proxy.ts';
import { isolation, root, textFiles } from './project-files.ts';

/**
 * Serves the proxy `hub/` with `npm run dev` and `npm run preview`: it forwards to Hugging Face, or to the
 * hub of HF_ENDPOINT.
 */
export const hub: Plugin = {
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

/** Serves the documentation that `npm run build` or `npm run docs` wrote, with `npm run dev` too. */
export const guides: Plugin = {
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

/** Adds dist/heddle.bundle.js, which the programs to take away contain; `npm run build` writes it first. */
export const libraryFile: Plugin = {
  name: 'heddle:library-file',
  apply: 'build',
  async generateBundle() {
    const source = await readFile(join(root, 'dist/heddle.bundle.js')).catch(() => undefined);
    if (source) this.emitFile({ type: 'asset', fileName: 'heddle.bundle.js', source });
    else this.warn('dist/heddle.bundle.js is missing: run npm run build');
  },
};

const typeOfFile: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** Adds the source code, to which the footer of the pages links: heddle-source.zip. */
export const sourceCode: Plugin = {
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
