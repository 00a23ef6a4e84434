// heddle eval on files of translations: scores, comparison, and the files it writes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { heddle } from '../support/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-eval-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

it('compares files of translations, and writes report, translations and COMET files', async () => {
  writeFileSync(at('p.tsv'), 'one cat\tun gato\tel gato\ntwo dogs run\tdos perros corren\t\n');
  writeFileSync(at('a.txt'), 'un gato\ndos perros corren\n');
  writeFileSync(at('b.txt'), 'el gato\ndos perros\n');
  const files = ['--report', at('r.html'), '--output', at('o.txt'), '--comet', at('c.json')];
  const outputs = ['--outputs', at('a.txt'), at('b.txt'), '--bootstrap', '50'];
  const { status, stdout } = await heddle(['eval', at('p.tsv'), '--references', '2', ...outputs, ...files]);
  expect(status).toBe(0);
  expect(stdout).toContain('nrefs:var|bs:50|seed:12345|case:mixed');
  expect(stdout).toMatch(/b\.txt.* p = /);
  expect(readFileSync(at('o.2.txt'), 'utf8')).toBe('el gato\ndos perros\n');
  const [comet] = JSON.parse(readFileSync(at('c.json'), 'utf8'));
  expect(comet).toEqual({ src: 'one cat', mt: 'un gato', ref: 'un gato' });
  expect(readFileSync(at('r.html'), 'utf8')).toContain('Worst sentences');
  writeFileSync(at('short.txt'), 'one\n');
  const short = await heddle(['eval', at('p.tsv'), '--outputs', at('short.txt')]);
  expect(short.stderr).toMatch(/short\.txt: 1 lines, the files of pairs have 2 valid pairs/);
});
