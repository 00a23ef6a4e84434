// npm run build: builds the library, the command line, the page for headless Chrome and the demo into dist/, and links
// node_modules/.bin/heddle to the command line, so that `npx heddle` runs this clone. `--no-types` skips the declarations (dist/types),
// which take the most time.
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
process.chdir(root);

const { build } = await import('vite');
const types = !process.argv.includes('--no-types');
for (const folder of ['modules', ...(types ? ['types'] : [])])
  rmSync(join(dist, folder), { recursive: true, force: true });
await build({ mode: 'modules', logLevel: 'warn' });
linkCommand();
await build({ mode: 'demo', logLevel: 'warn' });
if (types) await declareTypes();

/** Writes dist/types: the declarations of each entry, in one file each and one for what they share. */
async function declareTypes() {
  const { rolldown } = await import('rolldown');
  const { dts } = await import('rolldown-plugin-dts');
  const entries = ['index', 'node', 'headless', 'low-level'];
  const bundle = await rolldown({
    input: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
    external: [/^node:/, ...['puppeteer-core', 'webgpu', '@webgpu/types', '@huggingface/tokenizers']],
    plugins: [dts({ tsconfig: 'tsconfig.build.json', emitDtsOnly: true })],
  });
  await bundle.write({ dir: 'dist/types', chunkFileNames: 'shared/[name].d.ts' });
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
