// npm run bench:peers: bundles the runner, which parses the arguments (see bench-options.ts). If they are valid,
// installs the peers if they are missing or older than the lock file, bundles them with the code that times them, and
// runs the benchmark.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
/** Next to node_modules, so that imports resolve, but not in it: `npm ci` deletes node_modules. */
const out = join(here, '.vite');

const common = { root, configFile: false, publicDir: false, logLevel: 'error' };
const options = { target: 'es2022', minify: false, emptyOutDir: true };
const output = { entryFileNames: '[name].js', chunkFileNames: '[name].js' };

await bundleRunner();
const { main } = await import(pathToFileURL(join(out, 'bench-runner.js')).href);
process.exitCode = await main(process.argv.slice(2), async () => {
  install();
  await bundlePeers();
});

function install() {
  const mark = join(here, 'node_modules', '.package-lock.json');
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(here, 'package-lock.json')).mtimeMs) return;
  console.error('installing the peers into bench/peers/node_modules');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['ci', '--ignore-scripts'], { cwd: here, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** Bundles what runs in Node: the runner, and its child process with Dawn. */
async function bundleRunner() {
  await build({
    ...common,
    build: {
      ...options,
      ssr: true,
      outDir: out,
      rolldownOptions: {
        input: { 'bench-runner': join(here, 'bench-runner.ts'), 'node-session': join(here, 'node-session.ts') },
        output,
      },
    },
  });
}

/**
 * Bundles what runs in a page or in that child process, with all dependencies inside: unbundled, the peers do not load
 * in Node.
 */
async function bundlePeers() {
  await build({
    ...common,
    base: './',
    build: {
      ...options,
      outDir: join(out, 'page'),
      modulePreload: false,
      chunkSizeWarningLimit: 1e6,
      rolldownOptions: {
        input: { page: join(here, 'page-session.ts'), session: join(here, 'bench-session.ts') },
        output,
        preserveEntrySignatures: 'strict',
      },
    },
  });
  writeFileSync(
    join(out, 'page', 'index.html'),
    '<!doctype html><title>bench</title><script type="module" src="page.js"></script>\n',
  );
}
