// heddle eval on files of translations: scores, comparison, and the files it writes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { scoredTexts } from '../../src/commands/scored-texts.ts';
import { heddle } from '../support/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-eval-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

it('compares files of translations, and writes report, translations and COMET files', async () => {
  writeFileSync(at('p.tsv'), 'one cat\tun gato\tel gato\ntwo dogs run\tdos perros corren\t\n');
  writeFileSync(at('a.txt'), 'un gato\ndos perros corren\n');
  writeFileSync(at('b.txt'), 'el gato\ndos perros\n');
  const files = ['--report', at('r.html'), '--out', at('o.txt'), '--comet', at('c.json')];
  const outputs = ['--outputs', at('a.txt'), at('b.txt'), '--bootstrap', '50'];
  const { status, stdout } = await heddle(['eval', at('p.tsv'), '--references', '2', ...outputs, ...files]);
  expect(status).toBe(0);
  expect(stdout).toContain('nrefs:var|bs:50|seed:12345|case:mixed');
  expect(stdout).toMatch(/b\.txt.* p = /);
  expect(readFileSync(at('o.2.txt'), 'utf8')).toBe('el gato\ndos perros\n');
  const [comet] = JSON.parse(readFileSync(at('c.json'), 'utf8'));
  expect(comet).toEqual({ src: 'one cat', mt: 'un gato', ref: 'un gato' });
  expect(readFileSync(at('r.html'), 'utf8')).toContain('Worst sentences');
  const scored = async (name: string) => {
    const given = ['--references', '2', '--outputs', at('a.txt'), '--bootstrap', '0', '--out', at(name)];
    expect((await heddle(['eval', at('p.tsv'), ...given])).status).toBe(0);
    return readFileSync(at(name), 'utf8').trimEnd().split('\n');
  };
  expect(await scored('o.tsv')).toEqual([
    'source\ttranslation\treference 1\treference 2\tBLEU\tchrF2',
    'one cat\tun gato\tun gato\tel gato\t100\t100',
    'two dogs run\tdos perros corren\tdos perros corren\t\t100\t100',
  ]);
  expect(JSON.parse((await scored('o.jsonl'))[0] ?? '')).toEqual({
    source: 'one cat',
    translation: 'un gato',
    references: ['un gato', 'el gato'],
    bleu: 100,
    chrf: 100,
  });
  // Lines that end in CR, as old exports have them.
  writeFileSync(at('cr.txt'), 'un gato\rdos perros corren\r');
  const cr = await heddle(['eval', at('p.tsv'), '--outputs', at('cr.txt'), '--bootstrap', '0', '--json']);
  expect(JSON.parse(cr.stdout)).toMatchObject({ pairs: 2, exactMatch: 1 });
  writeFileSync(at('short.txt'), 'one\n');
  const short = await heddle(['eval', at('p.tsv'), '--outputs', at('short.txt')]);
  expect(short.stderr).toMatch(/short\.txt: 1 line, valid pairs in the files of pairs: 2/);
});

it('writes an empty line for a pair that was skipped, so that translations keep their lines', () => {
  const text = (pair: number) => ({ pair, source: 's', references: ['r'], translation: `t${pair}` });
  expect(scoredTexts('x.txt', [text(0), text(2)], 4)).toBe('t0\n\nt2\n\n');
  expect(
    scoredTexts('x.jsonl', [text(0), text(2)], 4)
      .trimEnd()
      .split('\n'),
  ).toHaveLength(2);
});
