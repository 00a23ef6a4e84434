// npm run bench:peers: bundles the runner, which parses the arguments (bench-options.ts). If they are valid, it installs the
// peers (if they are missing or older than the lock file), bundles them with the code that times them, and runs the
// benchmark.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';
import { bundleForNode, common, output } from '../bundle-for-node.mjs';

const here = import.meta.dirname;

// The runner, and its child process with Dawn.
const out = await bundleForNode(here, { 'bench-runner': 'bench-runner.ts', 'node-session': 'node-session.ts' });
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

/**
 * Bundles what runs in a page or in that child process, with all dependencies inside: unbundled, the peers do not load
 * in Node.
 */
async function bundlePeers() {
  await build({
    ...common,
    base: './',
    build: {
      target: 'es2022',
      minify: false,
      emptyOutDir: true,
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
