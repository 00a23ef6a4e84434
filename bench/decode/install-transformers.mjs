// Installs transformers.js and Marian into bench/decode/node_modules if they are missing or older than the lock file, and writes the page
// that runs them.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package of Marian, in this folder. */
export const bergamot = 'node_modules/@browsermt/bergamot-translator';

/** This folder. */
export const here = dirname(fileURLToPath(import.meta.url));

/** Installs the packages of this folder. Returns an error message, or undefined if they are installed. */
export function installTransformers() {
  const mark = join(here, 'node_modules', '.package-lock.json');
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(here, 'package-lock.json')).mtimeMs) return undefined;
  console.error('installing transformers.js and Marian into bench/decode/node_modules');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const options = { cwd: here, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', timeout: 180_000 };
  const { status, stderr } = spawnSync(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], options);
  return status === 0 ? undefined : `npm ci in bench/decode failed: ${stderr || 'timeout'}`;
}

/**
 * Writes the page of decode-page.mjs with transformers.js, onnxruntime-web and Marian into a folder. Its models go to the folder `models` there.
 *
 * @param {string} site
 */
export async function writeDecodePage(site) {
  symlinkSync(join(here, 'node_modules/@huggingface/transformers/dist'), join(site, 'transformers'));
  symlinkSync(join(here, 'node_modules/onnxruntime-web/dist'), join(site, 'ort'));
  symlinkSync(join(here, bergamot, 'worker'), join(site, 'marian'));
  copyFileSync(join(here, 'marian-worker.js'), join(site, 'marian-worker.js'));
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({ input: join(here, 'decode-page.mjs'), external: /^\/(dist|transformers)\// });
  await bundle.write({ file: join(site, 'decode-page.js') });
  writeFileSync(join(site, 'index.html'), '<!doctype html><script type="module" src="decode-page.js"></script>');
}
