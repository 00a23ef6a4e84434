// Paths of built files, for tests that run them in a separate process.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** The path of `dist/<name>`. Throws if the file is missing or older than a source. */
export function distFile(name: string): string {
  const path = join(root, 'dist', name);
  const built = existsSync(path) ? statSync(path).mtimeMs : 0;
  const sources = name.startsWith('demo/') ? ['src', 'shaders', 'demo', 'bench'] : ['src', 'shaders'];
  const newer = sources.flatMap(filesUnder).find((source) => statSync(source).mtimeMs > built);
  if (newer) throw new Error(`dist/${name} is older than ${newer}: run "npm run build" first`);
  return path;
}

/** The sources in a folder, without packages and without the builds of benchmarks in hidden folders. */
function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() &&
        !entry.name.endsWith('.json') &&
        !/\/(node_modules|\.\w+)(\/|$)/.test(entry.parentPath),
    )
    .map((entry) => join(entry.parentPath, entry.name));
}
