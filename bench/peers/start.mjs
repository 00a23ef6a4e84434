// npm run bench:peers: installs the peers where they are missing or older than the lock file, bundles the benchmark and runs it.
// run.ts says what the arguments are.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const out = join(here, 'node_modules', '.heddle');

install();
await bundle();
await import(pathToFileURL(join(out, 'run.js')).href);

function install() {
  const mark = join(here, 'node_modules', '.package-lock.json');
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(here, 'package-lock.json')).mtimeMs) return;
  console.error('installing the peers into bench/peers/node_modules');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['ci', '--ignore-scripts'], { cwd: here, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** The runner for Node, and what runs in a page or in a child of it with everything inside: the peers load only so in Node. */
async function bundle() {
  const common = { root, configFile: false, publicDir: false, logLevel: 'error' };
  const options = { target: 'es2022', minify: false, emptyOutDir: true };
  await build({
    ...common,
    build: {
      ...options,
      ssr: true,
      outDir: out,
      rolldownOptions: {
        input: { run: join(here, 'run.ts'), 'node-session': join(here, 'node-session.ts') },
        output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
      },
    },
  });
  await build({
    ...common,
    base: './',
    build: {
      ...options,
      outDir: join(out, 'page'),
      modulePreload: false,
      chunkSizeWarningLimit: 1e6,
      rolldownOptions: {
        input: { page: join(here, 'page-session.ts'), session: join(here, 'session.ts') },
        output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
        preserveEntrySignatures: 'strict',
      },
    },
  });
  writeFileSync(
    join(out, 'page', 'index.html'),
    '<!doctype html><title>bench</title><script type="module" src="page.js"></script>\n',
  );
  cpSync(join(here, 'package.json'), join(out, 'package.json'));
}
