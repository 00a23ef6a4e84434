// npm run build: builds the library, the command line, the page for headless Chrome, and the site into dist/: the
// pages with the documentation in dist/demo, which any static host serves. It links node_modules/.bin/heddle to the
// command line, so that `npx heddle` runs this clone. `--no-types` skips the declarations (dist/types) and the
// documentation, which take most of the time; `--no-docs` only the latter.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { packageEntries } from './package-entries.mjs';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
process.chdir(root);

/** The symbols of `using` for projects whose lib does not have them. */
const disposable = `interface SymbolConstructor {
  readonly dispose: unique symbol;
  readonly asyncDispose: unique symbol;
}
interface Disposable {
  [Symbol.dispose](): void;
}
interface AsyncDisposable {
  [Symbol.asyncDispose](): PromiseLike<void>;
}
`;

/** The name of lib.dom that @webgpu/types uses and a worker's lib lacks. */
const imageElement = 'declare global {\n  interface HTMLImageElement {}\n}\n';

/** The sources of the declarations, by the names of their files in dist/types/. */
const declared = Object.fromEntries(packageEntries.map(({ types, source }) => [types, source]));

const types = !process.argv.includes('--no-types');
for (const folder of ['modules', ...(types ? ['types'] : [])])
  rmSync(join(dist, folder), { recursive: true, force: true });
await build({ mode: 'modules', logLevel: 'warn' });
linkCommand();
await writeSingleFile();
await build({ mode: 'demo', logLevel: 'warn' });
if (types) await declareTypes();
if (types && !process.argv.includes('--no-docs')) writeDocumentation();

/**
 * Writes dist/types: a declaration file for each entry, and one for the declarations that they share. The names of
 * WebGPU (GPUDevice) are those of TypeScript's lib.dom, which has them since TypeScript 6; both together with
 * @webgpu/types do not compile. TypeScript 5 gets dist/types/ts5 by the condition `types@<6.0` of package.json,
 * which adds @webgpu/types. `using` needs the names of lib.esnext.disposable, which are declared as Node does: a
 * project whose lib has them merges both.
 */
async function declareTypes() {
  const { rolldown } = await import('rolldown');
  const { dts } = await import('rolldown-plugin-dts');
  const bundle = await rolldown({
    input: declared,
    external: [
      /^node:/,
      ...['onnxruntime-web', 'puppeteer-core', 'webgpu', '@webgpu/types', '@huggingface/tokenizers'],
    ],
    plugins: [dts({ tsconfig: 'tsconfig.build.json', emitDtsOnly: true })],
  });
  await bundle.write({ dir: 'dist/types', chunkFileNames: 'shared/[name].d.ts' });
  mkdirSync('dist/types/ts5');
  writeFileSync('dist/types/disposable.d.ts', disposable);
  for (const name of Object.keys(declared)) {
    const path = `dist/types/${name}.d.ts`;
    writeFileSync(path, `/// <reference path="./disposable.d.ts" />\n${readFileSync(path, 'utf8')}`);
    writeFileSync(
      `dist/types/ts5/${name}.d.ts`,
      `/// <reference types="@webgpu/types" />\nexport * from '../${name}.js';\n${imageElement}`,
    );
  }
}

/** Writes dist/demo/docs: the guides and the API reference. */
function writeDocumentation() {
  const typedoc = join(root, 'node_modules/typedoc/bin/typedoc');
  execFileSync(process.execPath, [typedoc, '--logLevel', 'Warn'], { stdio: 'inherit' });
}

/**
 * Writes dist/heddle.bundle.js: the library in one file, for `<script type="module">` in a page without a bundler, also
 * from another origin.
 */
async function writeSingleFile() {
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({
    input: join(dist, 'heddle.js'),
    external: ['onnxruntime-web', 'puppeteer-core', 'webgpu'],
    platform: 'browser',
    logLevel: 'warn',
  });
  await bundle.write({ file: join(dist, 'heddle.bundle.js'), codeSplitting: false, minify: true });
}

function linkCommand() {
  const cli = join(dist, 'cli.js');
  chmodSync(cli, 0o755);
  const bin = join(root, 'node_modules', '.bin');
  mkdirSync(bin, { recursive: true });
  const link = join(bin, 'heddle');
  rmSync(link, { force: true });
  if (process.platform === 'win32') writeFileSync(`${link}.cmd`, `@node "${cli}" %*\r\n`);
  else symlinkSync('../../dist/cli.js', link);
}
