// npm run bench:isa: bundles the report and the process that compiles kernels, then runs the report.
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
    rolldownOptions: {
      input: { report: join(here, 'isa-report.ts'), compile: join(here, 'compile-kernels.ts') },
      output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
    },
  },
});
const { main } = await import(pathToFileURL(join(out, 'report.js')).href);
process.exitCode = await main(process.argv.slice(2));
