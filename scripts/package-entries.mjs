// The entries of the package: what programs import, from the `exports` of package.json.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const { exports } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8'));

/** Each entry: what programs import, the name of its files in dist/, its source, and whether Node brings a host. */
export const packageEntries = Object.entries(exports).map(([path, conditions]) => {
  const name = path === '.' ? 'heddle' : path.slice('./'.length);
  return {
    imported: path === '.' ? 'heddle' : `heddle/${name}`,
    name,
    types: path === '.' ? 'index' : name,
    source: name === 'engine' ? 'src/engine/index.ts' : `src/entries/${name}.ts`,
    hasHost: 'node' in conditions,
  };
});
