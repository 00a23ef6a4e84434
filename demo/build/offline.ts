// Pages that open offline and can be installed: the service worker, the manifest and the icons.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Plugin } from 'vite';
import { root } from './project-files.ts';

/**
 * Adds a service worker, which caches the files of the pages, and a manifest: the pages open offline and can
 * be installed.
 */
export const offline: Plugin = {
  name: 'heddle:offline',
  apply: 'build',
  enforce: 'post',
  async generateBundle(_, bundle) {
    const names = Object.keys(bundle).filter(
      (name) =>
        !/\.(?:map|safetensors|json|zip|txt|wasm|wav)$|\/ort\.|^(?:firefox|transformers)\/|^heddle\.bundle/.test(
          name,
        ),
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
      'screenshots/picture.png',
    ])
      this.emitFile({ type: 'asset', fileName: path, source: await readFile(resolve(root, 'demo', path)) });
  },
  transformIndexHtml: () => [
    { tag: 'link', attrs: { rel: 'manifest', href: './manifest.webmanifest' }, injectTo: 'head' },
    { tag: 'link', attrs: { rel: 'apple-touch-icon', href: './icons/icon-180.png' }, injectTo: 'head' },
  ],
};
