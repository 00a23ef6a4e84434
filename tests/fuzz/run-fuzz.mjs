// npm run fuzz: bundles the fuzzer, since Node cannot run TypeScript, and runs it. fuzzer.ts describes the
// arguments.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const usage = `Usage: npm run fuzz -- [options]

Damages valid files at random and reads them.

  --seconds <n>    time limit in seconds (default: 30)
  --target <name>  kind of file (default: all)
  --seed <n>       first seed (default: the time)
  --count <n>      maximum number of cases (default: no limit)`;

const text = { type: 'string' };
try {
  const { values } = parseArgs({
    options: { seconds: text, target: text, seed: text, count: text, help: { type: 'boolean', short: 'h' } },
  });
  for (const name of ['seconds', 'seed', 'count'])
    if (values[name] !== undefined && !(Number(values[name]) >= 0))
      throw new Error(`--${name} ${values[name]}: it must be a number of at least 0`);
  if (values.help) {
    console.log(usage);
    process.exit();
  }
} catch (error) {
  console.error(`fuzz: ${error.message}\n\n${usage}`);
  process.exit(1);
}

const { build } = await import('vite');
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
