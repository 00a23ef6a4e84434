// npm run build: builds the library, the command line, the page for headless Chrome, and the site into dist/: the
// pages with the documentation in dist/demo, which any static host serves. It links node_modules/.bin/heddle to the
// command line, so that `npx heddle` runs this clone. `--no-types` skips the declarations (dist/types) and the
// documentation, which take most of the time; `--no-docs` only the latter.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
process.chdir(root);

/** Built files that programs import, and the files that run the command. */
const libraryEntries = ['heddle', 'heddle.node', 'heddle.deno', 'node', 'engine', 'headless', 'text-thread'];
const commandEntries = ['cli', 'headless-page', 'headless-deno'];

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

const { build, minifySync } = await import('vite');
const types = !process.argv.includes('--no-types');
for (const folder of ['modules', ...(types ? ['types'] : [])])
  rmSync(join(dist, folder), { recursive: true, force: true });
await build({ mode: 'modules', logLevel: 'warn' });
await copyTextFunctions();
await mergeLoadedOnDemand();
while ((await mergeSmall()) > 0); // what both of two merged modules import has one importer now
while (await mergeTwins());
await mergeCommand();
minifyModules();
linkCommand();
await build({ mode: 'demo', logLevel: 'warn' });
printFirstView();
if (types) await declareTypes();
if (types && !process.argv.includes('--no-docs')) writeDocumentation();

/**
 * Gives the entry heddle.js its own copy of the functions on text that it exports: metrics in the entry, pairs and
 * corpora in a file that it imports. esbuild loads a file that both the entry and code loaded on demand import with
 * the entry, also in a page that does not use it.
 */
async function copyTextFunctions() {
  const entry = entryFile('heddle');
  const ownText = importsOf(entry, 'from').filter((file) => file.startsWith(join(dist, 'modules/text')));
  const copied = reach(ownText, 'from|import');
  copied.delete(join(dist, 'modules/core/errors.js')); // errors are told by their class
  await merge(entry, copied, [{ name: 'corpora', test: /modules.text.(?!metrics)|random/ }]);
}

/**
 * Merges a module of the library that is loaded on demand with the modules that only it imports: they are
 * loaded together, and a file takes 4 KiB on most disks.
 */
async function mergeLoadedOnDemand() {
  const { all, imports, loadedOnDemand, library } = importGraph();
  for (const input of loadedOnDemand) {
    if (!library.has(input)) continue;
    const own = reach([input], 'from|import');
    const isOwn = (file) =>
      file === input ||
      (!loadedOnDemand.has(file) &&
        all.every((other) => own.has(other) || !imports.get(other).includes(file)));
    for (let before = 0; before !== own.size; ) {
      before = own.size;
      for (const file of own) if (!isOwn(file)) own.delete(file);
    }
    if (own.size < 2) continue;
    await merge(input, own);
    for (const file of own) if (file !== input) rmSync(file);
  }
}

/** Merges each small module into the module that imports it, if only one does. Returns how many there were. */
async function mergeSmall() {
  const { all, imports, loadedOnDemand, library } = importGraph();
  const entries = new Set([...libraryEntries, ...commandEntries].map(entryFile));
  const importer = new Map();
  for (const file of library) {
    const [first, second] = all.filter((other) => imports.get(other).includes(file));
    // An entry stays small: bundlers load it whole with what it exports.
    const limit = entries.has(first) ? 1024 : 32_768;
    const merges = first && !second && library.has(first) && statSync(file).size < limit;
    if (merges && !entries.has(file) && !loadedOnDemand.has(file)) importer.set(file, first);
  }
  const groups = new Map();
  for (const file of importer.keys()) {
    let root = file;
    while (importer.has(root)) root = importer.get(root);
    groups.set(root, [...(groups.get(root) ?? []), file]);
  }
  for (const [root, small] of groups) {
    await merge(root, new Set(small));
    for (const file of small) rmSync(file);
  }
  return importer.size;
}

/**
 * Merges modules of the library that the same modules import, and the smallest of all, if that saves a block of the
 * disk. Returns whether it did.
 */
async function mergeTwins() {
  const { all, imports, loadedOnDemand, library } = importGraph();
  const entries = new Set([...libraryEntries, ...commandEntries].map(entryFile));
  const shared = ['', 'core', 'files'].map((room) => join(dist, 'modules', room)); // '': package.json
  const groups = new Map();
  for (const file of library) {
    if (entries.has(file) || loadedOnDemand.has(file)) continue;
    // Only modules without imports, so that no circle begins.
    const largest = shared.includes(dirname(file)) ? 1024 : 300;
    const importers = all.filter((other) => imports.get(other).includes(file));
    const isShared = statSync(file).size < largest && imports.get(file).length === 0;
    const key = isShared ? 'shared' : importers.join('\n');
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  const blocks = (...sizes) => sizes.reduce((sum, size) => sum + Math.ceil(size / 4096), 0);
  for (const twins of groups.values()) {
    const sizes = twins.map((file) => statSync(file).size);
    const whole = sizes.reduce((a, b) => a + b, 0);
    if (twins.length < 2 || blocks(...sizes) === blocks(whole)) continue;
    await mergeTogether(twins, all);
    return true;
  }
  return false;
}

/** Merges modules into one, which `importers` import in their place. */
async function mergeTogether(modules, importers) {
  const [first] = modules;
  const together = first.replace(/\.js$/, '.together.js');
  const exported = modules.map((file) => `export * from '${pathFrom(together, file)}';\n`);
  writeFileSync(together, exported.join(''));
  await merge(together, new Set(modules));
  for (const importer of importers) {
    if (modules.includes(importer)) continue;
    const before = readFileSync(importer, 'utf8');
    let code = before;
    for (const file of modules)
      code = code.replaceAll(
        new RegExp(`(["'])${pathFrom(importer, file).replaceAll('.', '\\.')}\\1`, 'g'),
        `"${pathFrom(importer, together)}"`,
      );
    if (code !== before) writeFileSync(importer, code);
  }
  for (const file of modules) rmSync(file);
}

/** The path of a built file in an import of another one. */
function pathFrom(importer, file) {
  const path = relative(dirname(importer), file).replaceAll('\\', '/');
  return path.startsWith('.') ? path : `./${path}`;
}

/** The built files, what each imports, which of them are loaded on demand, and which belong to the library. */
function importGraph() {
  const all = [...filesOf([...libraryEntries, ...commandEntries])];
  return {
    all,
    imports: new Map(all.map((file) => [file, importsOf(file, 'from|import|import\\(')])),
    loadedOnDemand: new Set(all.flatMap((file) => importsOf(file, 'import\\('))),
    library: filesOf(libraryEntries),
  };
}

/**
 * Writes the built file `input` again with the code of the modules `own` in it, or in files of modules/ by `groups`.
 */
async function merge(input, own, groups = []) {
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({
    input,
    platform: 'neutral',
    external: (id, importer) => importer !== undefined && !own.has(resolve(dirname(importer), id)),
    makeAbsoluteExternalsRelative: true,
  });
  const { output } = await bundle.generate({
    dir: dirname(input),
    chunkFileNames: 'modules/[name].js',
    codeSplitting: groups.length > 0 ? { groups } : undefined,
    comments: { annotation: true, jsdoc: false, legal: true },
  });
  for (const { fileName, code } of output.slice(1)) writeFileSync(join(dirname(input), fileName), code);
  writeFileSync(input, output[0].code);
}

/**
 * Minifies the modules of the library, whose exports keep their names, and the entries that are large: a bundler does it
 * anyway, and the installed package stays small.
 */
function minifyModules() {
  const modules = readdirSync(join(dist, 'modules'), { recursive: true }).filter((name) =>
    name.endsWith('.js'),
  );
  const minify = (path, options) =>
    writeFileSync(path, minifySync(basename(path), readFileSync(path, 'utf8'), options).code);
  for (const name of ['heddle', 'engine'])
    minify(entryFile(name), { compress: true, mangle: { toplevel: true, keepNames: true } });
  for (const name of modules)
    minify(join(dist, 'modules', name), { compress: false, mangle: { toplevel: false } });
}

/**
 * Merges the modules that only the command uses: a file takes 4 KiB on most disks, and nobody bundles a part
 * of the command. Modules of the library stay separate files, so that bundlers include only the files that a
 * program uses.
 */
async function mergeCommand() {
  const { rolldown } = await import('rolldown');
  const library = filesOf(libraryEntries);
  const bundle = await rolldown({
    input: Object.fromEntries(commandEntries.map((name) => [name, join(dist, `${name}.js`)])),
    platform: 'neutral',
    treeshake: { moduleSideEffects: () => true }, // else headless-deno.js loses its import of headless-page.js
    external: (id, importer = '') =>
      id.startsWith('.') || isAbsolute(id)
        ? library.has(resolve(dirname(importer), id))
        : !id.startsWith('\0'),
    plugins: [togetherLoaded()],
    makeAbsoluteExternalsRelative: true,
  });
  const { output } = await bundle.generate({
    entryFileNames: '[name].js',
    chunkFileNames: 'modules/command/[name].js',
    comments: { annotation: true, jsdoc: false, legal: true },
    minify: { compress: true, mangle: { toplevel: false } },
  });
  for (const file of filesOf(commandEntries)) if (!library.has(file)) rmSync(file);
  mkdirSync(join(dist, 'modules/command'));
  for (const { fileName, code } of output) writeFileSync(join(dist, fileName), code);
}

/**
 * Merges all commands into one module, and all jobs except the benchmarks into another; both are loaded on
 * demand.
 */
function togetherLoaded() {
  const groups = {
    '\0commands': [join(dist, 'modules/commands'), /^[\w-]+-command\.js$/],
    '\0jobs': [join(dist, 'modules/commands/jobs'), /^(?!bench|conformance)[\w-]+-job\.js$/],
  };
  return {
    name: 'together-loaded',
    resolveId: (id, importer, { kind }) =>
      kind === 'dynamic-import'
        ? Object.keys(groups).find((group) => {
            const [folder, names] = groups[group];
            return dirname(resolve(dirname(importer), id)) === folder && names.test(basename(id));
          })
        : undefined,
    load(id) {
      if (!(id in groups)) return undefined;
      const [folder, names] = groups[id];
      const files = readdirSync(folder).filter((name) => names.test(name));
      return files.map((name) => `export * from ${JSON.stringify(join(folder, name))};`).join('\n');
    },
  };
}

/** The built files of entries and of all that they import, statically or on demand. */
function filesOf(entries) {
  return reach(entries.map(entryFile), 'from|import\\(|import');
}

function entryFile(name) {
  return join(dist, `${name}.js`);
}

/** Files and all that they import, directly or not, by the given keywords. */
function reach(files, keywords) {
  const found = new Set(files);
  for (const file of found) for (const path of importsOf(file, keywords)) found.add(path);
  return found;
}

/** The built files that a file imports by one of the keywords. */
function importsOf(file, keywords) {
  const imports = readFileSync(file, 'utf8').matchAll(
    new RegExp(`(?:${keywords})\\s*["'\`](\\.[^"'\`]+)["'\`]`, 'g'),
  );
  return [...imports].map(([, path]) => join(dirname(file), path)).filter((path) => existsSync(path));
}

/**
 * Prints the compressed size of the files that the training page loads until it has translated, without the
 * model, and fails above its limit. tests/demo/published.test.ts measures what Chrome loads.
 */
function printFirstView() {
  const limit = 300_000;
  const assets = join(dist, 'demo/assets');
  const page = readFileSync(join(dist, 'demo/index.html'), 'utf8');
  const linked = [...page.matchAll(/assets\/([\w.-]+)/g)].map(([, name]) => name);
  const worker = readdirSync(assets).filter((name) => /^training-worker-.*\.js$/.test(name));
  const inAssets = (names) => names.map((name) => join(assets, name));
  const onDemand =
    /^(shaders|remote-models|alignment|heddle|heddle-tokenizers|widen-tensors|saved-model|trained-tokenizer)-/;
  const ofWorker = [...reach(inAssets(worker), 'from|import|import\\(')].filter((file) =>
    onDemand.test(basename(file)),
  );
  const files = reach([...inAssets([...linked, ...worker]), ...ofWorker], 'from|import');
  const sizes = [...files].map((file) => gzipSync(readFileSync(file)).length);
  const bytes = gzipSync(page).length + sizes.reduce((a, b) => a + b, 0);
  console.log(
    `demo: first view ${(bytes / 1000).toFixed(0)} kB compressed, without models (limit ${limit / 1000} kB)`,
  );
  if (bytes > limit) process.exitCode = 1;
}

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
    input: {
      index: 'src/index.ts',
      node: 'src/node.ts',
      headless: 'src/headless.ts',
      engine: 'src/engine/index.ts',
    },
    external: [
      /^node:/,
      ...['onnxruntime-web', 'puppeteer-core', 'webgpu', '@webgpu/types', '@huggingface/tokenizers'],
    ],
    plugins: [dts({ tsconfig: 'tsconfig.build.json', emitDtsOnly: true })],
  });
  await bundle.write({ dir: 'dist/types', chunkFileNames: 'shared/[name].d.ts' });
  mkdirSync('dist/types/ts5');
  writeFileSync('dist/types/disposable.d.ts', disposable);
  for (const name of ['index', 'node', 'headless', 'engine']) {
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
