// npm run fuzz: bundles the fuzzer, since Node reads no TypeScript, and runs it. fuzzer.ts says what the arguments are.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const outDir = join(root, 'node_modules', '.cache', 'heddle-fuzz');

await build({
  root,
  configFile: false,
  publicDir: false,
  logLevel: 'error',
  build: {
    ssr: true,
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    minify: false,
    sourcemap: true,
    rolldownOptions: { input: { fuzzer: join(here, 'fuzzer.ts') }, output: { entryFileNames: '[name].js' } },
  },
});
const args = [
  '--enable-source-maps',
  join(outDir, 'fuzzer.js'),
  '--fixtures',
  join(here, '..', 'fixtures'),
  ...process.argv.slice(2),
];
process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
