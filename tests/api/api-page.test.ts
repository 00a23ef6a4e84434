// The page docs/api.md: it lists every name of `heddle` once, with when to use it.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const read = (path: string) => readFileSync(resolve(import.meta.dirname, '../..', path), 'utf8');

it('lists each public name once, with when to use it', () => {
  const exported = [...read('src/index.ts').matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
    .flatMap(([, names = '']) => names.split(','))
    .map((name) => name.replace(/^\s*(?:type )?/, '').trim())
    .filter(Boolean);
  const rows = [...read('docs/api.md').matchAll(/^\| `(\w+)` +\| (.+?) +\|$/gm)];
  expect(rows.map(([, name]) => name).sort()).toEqual([...exported].sort());
  expect(rows.filter(([, , use = '']) => use.split(' ').length < 3)).toEqual([]);
});
