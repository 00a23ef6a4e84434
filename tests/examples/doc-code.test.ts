// The pages of docs/ show the code of docs/examples/ as it is tested.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const docs = join(import.meta.dirname, '../../docs');
const read = (name: string): string => readFileSync(join(docs, name), 'utf8');

const pages = readdirSync(docs)
  .filter((name) => name.endsWith('.md'))
  .map(read);

// Programs; projects are folders, which projects.full.test.ts runs.
const programs = readdirSync(join(docs, 'examples')).filter((name) => name.endsWith('.ts'));

it.each(programs)('finds %s in a page of the documentation word for word', (name) => {
  expect(pages.some((page) => page.includes(`\`\`\`ts\n${read(`examples/${name}`)}\`\`\``))).toBe(true);
});
