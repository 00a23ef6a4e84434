// npm run bench:peers: bundles the runner, which parses the arguments (bench-options.ts). If they are valid,
// it installs the peers (if they are missing or older than the lock file), bundles them with the code that
// times them, and runs the benchmark.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';
import { bundleForNode, common, output } from '../bundle-for-node.mjs';
import { installPackages } from '../install-packages.mjs';

const here = import.meta.dirname;

// The runner, and its child process with Dawn.
const out = await bundleForNode(here, {
  'bench-runner': 'bench-runner.ts',
  'node-session': 'node-session.ts',
});
const { main } = await import(pathToFileURL(join(out, 'bench-runner.js')).href);
process.exitCode = await main(process.argv.slice(2), async () => {
  const failure = installPackages(here, 'the peers');
  if (failure) {
    console.error(failure);
    process.exit(1);
  }
  await bundlePeers();
});

/**
 * Bundles what runs in a page or in that child process, with all dependencies inside: unbundled, the peers do
 * not load in Node.
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
