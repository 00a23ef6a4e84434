// heddle align: a line of links for each line of the pairs.
import { expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { cpuEngine } from '../../../../src/engine/cpu-engine.ts';
import { alignFiles } from '../../../../src/features/corpora/align/align-files.ts';
import { readText, writeText } from '../../../../src/files/files.ts';
import { memoryFiles } from '../../../../src/files/memory-files.ts';
import { errorAbout } from '../../../support/expect-error.ts';
import { EngineSession } from '../../../support/session.ts';
import { wordPairs } from '../../../support/word-pairs.ts';

it('writes a line for each line, also of one that is no pair', async () => {
  const files = memoryFiles();
  const stream = random(3);
  const lines = Array.from({ length: 200 }, () => {
    const chosen = stream.shuffle([...wordPairs]).slice(0, 2 + stream.int(4));
    const side = (index: 0 | 1) => chosen.map((pair) => pair[index]).join(' ');
    return `${side(0)} please\t${side(1)}.`;
  });
  await writeText(
    files,
    'pairs.tsv',
    `${lines.slice(0, 50).join('\n')}\nno tab\n${lines.slice(50).join('\n')}\n`,
  );
  const session = new EngineSession(files, async () => cpuEngine());
  const pairs = { files: ['pairs.tsv'] };
  const result = await alignFiles({ pairs, out: 'pairs.align', table: 'lex.s2t' }, session);
  const found = (await readText(files, 'pairs.align')).split('\n');
  expect(found).toHaveLength(lines.length + 2); // the line without a tab, and the end
  expect(found[50]).toBe('');
  expect(result).toMatchObject({
    pairs: lines.length + 1,
    links: found.join(' ').split(' ').filter(Boolean).length,
  });
  const table = (await readText(files, 'lex.s2t')).trimEnd().split('\n');
  for (const line of table) expect(line).toMatch(/^\S+ \S+ [01]\.\d{6}$/);
  const best = table.filter((line) => line.split(' ')[1] === 'two').sort((a, b) => b.localeCompare(a, 'en'));
  expect(best.find((line) => Number(line.split(' ')[2]) > 0.5)).toMatch(/^dos two /);
  // The words are in the same order; nothing translates "please", the last one of each source.
  const known = found.flatMap((line, at) => {
    const last = (lines[at > 50 ? at - 1 : at] ?? '').split('\t')[0]?.split(' ').length ?? 0;
    return line.split(' ').filter((link) => link !== '' && Number(link[0]) < last - 1);
  });
  for (const link of known) expect(link).toMatch(/^\d-\d$/);
  expect(known.filter((link) => link[0] === link[2]).length / known.length).toBeGreaterThan(0.95);
});

it('refuses files without a pair', async () => {
  const files = memoryFiles();
  await writeText(files, 'pairs.tsv', 'a\nb\n');
  const session = new EngineSession(files, async () => cpuEngine());
  await expect(alignFiles({ pairs: { files: ['pairs.tsv'] }, out: 'o' }, session)).rejects.toThrow(
    errorAbout({ area: 'pairs.tsv' }),
  );
});

it('reports lines with NUL bytes', async () => {
  const files = memoryFiles();
  await writeText(files, 'pairs.tsv', 'one two\tuno dos\nthr\0ee\ttres\nfour\tcua\0tro\n');
  const session = new EngineSession(files, async () => cpuEngine());
  await alignFiles({ pairs: { files: ['pairs.tsv'] }, out: 'o' }, session);
  expect(session.events).toContainEqual(
    expect.objectContaining({ type: 'warning', text: 'NUL bytes in 2 of 3 lines of pairs' }),
  );
});
