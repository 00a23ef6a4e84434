// The page docs/api.md: it lists every name of `heddle` and its other entries once, with when to use it.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const read = (path: string) => readFileSync(resolve(import.meta.dirname, '../..', path), 'utf8');

/** The sections of the page, by their headings. */
const sections = new Map(
  read('docs/api.md')
    .split(/^## /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf('\n')), text]),
);

it.each([
  ['heddle', 'src/entries/heddle.ts'],
  ['heddle/data', 'src/entries/data.ts'],
  ['heddle/metrics', 'src/entries/metrics.ts'],
  ['heddle/reports', 'src/entries/reports.ts'],
  ['heddle/documents', 'src/entries/documents.ts'],
  ['heddle/speech', 'src/entries/speech.ts'],
  ['heddle/host', 'src/entries/host.ts'],
])('lists each name of %s once, with when to use it', (entry, path) => {
  const exported = [...read(path).matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
    .flatMap(([, names = '']) => names.split(','))
    .map((name) => name.replace(/^\s*(?:type )?(?:\w+ as )?/, '').trim())
    .filter(Boolean);
  const rows = [...(sections.get(entry) ?? '').matchAll(/^\| `(\w+)` +\| (.+?) +\|$/gm)];
  expect(rows.map(([, name]) => name).sort()).toEqual([...exported].sort());
  expect(rows.filter(([, , use = '']) => use.split(' ').length < 3)).toEqual([]);
});
