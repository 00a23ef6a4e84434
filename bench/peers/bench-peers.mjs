// npm run bench:peers: bundles the runner, which reads the arguments (bench-options.ts says what they are); where nothing is wrong with them,
// installs the peers if they are missing or older than the lock file, bundles them with what times them, and runs it.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
/** Not in node_modules, which an installation empties; beside it, so that it finds package.json and what node_modules has. */
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

/** What runs in Node: the runner, and the child of it in which Dawn is. */
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

/** What runs in a page or in that child, with everything inside: the peers load only so in Node. */
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
