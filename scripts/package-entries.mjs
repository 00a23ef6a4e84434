// The entries of the package: what programs import, from the `exports` of package.json.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const { exports } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'));

/** An entry: what programs import, the names of its files in dist/, its source, and whether Node brings a host. */
const entryOf = ([path, conditions]) => {
  const name = path === '.' ? 'heddle' : path.slice('./'.length);
  return {
    imported: path === '.' ? 'heddle' : `heddle/${name}`,
    name,
    types: path === '.' ? 'index' : name,
    source: name === 'engine' ? 'src/engine/index.ts' : `src/entries/${name}.ts`,
    hasHost: 'node' in conditions,
  };
};

/** The entries that have a source; the bundle is made of the others. */
export const packageEntries = Object.entries(exports)
  .map(entryOf)
  .filter(({ source }) => existsSync(resolve(root, source)));
