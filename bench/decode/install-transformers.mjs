// Installs transformers.js and Marian into bench/decode/node_modules if they are missing or older than the
// lock file, and writes the page that runs them.
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages } from '../install-packages.mjs';

/** The package of Marian, in this folder. */
export const bergamot = 'node_modules/@browsermt/bergamot-translator';

/** This folder. */
export const here = dirname(fileURLToPath(import.meta.url));

/** Installs the packages of this folder. Returns an error message, or undefined if they are installed. */
export const installTransformers = () => installPackages(here, 'transformers.js and Marian');

/**
 * Writes the page of decode-page.mjs with transformers.js, onnxruntime-web and Marian into a folder. Its
 * models go to the folder `models` there.
 *
 * @param {string} site
 */
export async function writeDecodePage(site) {
  symlinkSync(join(here, 'node_modules/@huggingface/transformers/dist'), join(site, 'transformers'));
  symlinkSync(join(here, 'node_modules/onnxruntime-web/dist'), join(site, 'ort'));
  mkdirSync(join(site, 'marian'));
  for (const name of ['bergamot-translator-worker.js', 'bergamot-translator-worker.wasm'])
    symlinkSync(join(here, bergamot, 'worker', name), join(site, 'marian', name));
  copyFileSync(join(here, '../../demo/train/page/firefox-worker.js'), join(site, 'marian/engine-worker.js'));
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({
    input: join(here, 'decode-page.mjs'),
    external: /^\/(dist|transformers|ort)\//,
  });
  await bundle.write({ file: join(site, 'decode-page.js') });
  writeFileSync(
    join(site, 'index.html'),
    '<!doctype html><script type="module" src="decode-page.js"></script>',
  );
}
