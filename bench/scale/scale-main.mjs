// npm run bench:scale: bundles the benchmark and runs it.
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, '.vite');

await build({
  root: join(here, '..', '..'),
  configFile: false,
  publicDir: false,
  logLevel: 'error',
  build: {
    ssr: true,
    target: 'es2022',
    minify: false,
    outDir: out,
    emptyOutDir: true,
    rolldownOptions: { input: join(here, 'scale-bench.ts'), output: { entryFileNames: 'scale.js' } },
  },
});
const { main } = await import(pathToFileURL(join(out, 'scale.js')).href);
process.exit(await main(process.argv.slice(2)));
