// npm run build: builds the library, the command line, the page for headless Chrome and the demo into dist/, and links
// node_modules/.bin/heddle to the command line, so that `npx heddle` runs this clone. `--no-types` skips the declarations (dist/types),
// which take the most time.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
process.chdir(root);

const { build } = await import('vite');
for (const folder of ['chunks', 'modules', 'types', 'page']) {
  if (folder !== 'types' || !process.argv.includes('--no-types'))
    rmSync(join(dist, folder), { recursive: true, force: true });
}
for (const mode of ['modules', 'page']) await build({ mode, logLevel: 'warn' });
linkCommand();
await build({ mode: 'demo', logLevel: 'warn' });
if (!process.argv.includes('--no-types')) declareTypes();

function declareTypes() {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
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
