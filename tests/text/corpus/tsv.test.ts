// Reads pairs from TSV, and reports bad lines.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Message, renderMessage } from '../../../src/core/message.ts';
import { describeBad } from '../../../src/text/corpus/pair-records.ts';
import { readTsv } from '../../../src/text/corpus/tsv.ts';
import { errorAbout, holeValues } from '../../support/expect-error.ts';
import { hasTatoeba, tatoeba } from '../../support/text.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string) => readTsv(bytes(text), 'a.tsv');

it('reads source and target, and ignores further columns', () => {
  expect(read('Hi.\tHola.\nBye.\tAdiós.\tCC-BY 2.0\tmore\n')).toEqual({
    pairs: [
      { source: 'Hi.', target: 'Hola.' },
      { source: 'Bye.', target: 'Adiós.' },
    ],
    bad: [],
    lines: 2,
  });
});

it('reads a last line without line break, CRLF, and a byte-order mark', () => {
  const pairs = [
    { source: 'a', target: 'b' },
    { source: 'c', target: 'd' },
  ];
  expect(read('a\tb\nc\td').pairs).toEqual(pairs);
  expect(read('\ufeffa\tb\r\nc\td\r\n')).toEqual({ pairs, bad: [], lines: 2 });
});

it('reads lines that end in CR, as in old exports, and reports NUL bytes', () => {
  const pairs = [
    { source: 'a', target: 'b' },
    { source: 'c', target: 'd' },
  ];
  expect(read('a\tb\rc\td\r')).toEqual({ pairs, bad: [], lines: 2 });
  expect(read('a\tb\nx\0\ty\nc\td\n')).toEqual({ pairs, bad: [{ line: 2, reason: 'NUL byte' }], lines: 3 });
  expect(() => read('x\0\ty\n')).toThrow(errorAbout({ area: 'a.tsv', values: [1, 'NUL byte'] }));
});

it('says that both sides are empty, not that there is no tab', () => {
  expect(() => read(' \t \n\t\n')).toThrow(errorAbout({ area: 'a.tsv', values: [2, 1] }));
});

it('normalizes spaces and combining characters', () => {
  expect(read(' a\u00a0 b \tCafe\u0301\u202f\n').pairs).toEqual([{ source: 'a b', target: 'Café' }]);
});

it('reports each bad line with the reason', () => {
  const { pairs, bad, lines } = read('a\tb\n\nno tab\n\tx\ny\t \n \t \nc\td\n');
  expect(pairs).toHaveLength(2);
  expect(lines).toBe(7);
  expect(bad).toEqual([
    { line: 2, reason: 'empty line' },
    { line: 3, reason: 'no tab' },
    { line: 4, reason: 'empty source' },
    { line: 5, reason: 'empty target' },
    { line: 6, reason: 'both sides empty' },
  ]);
  expect(holeValues(describeBad(bad.slice(0, 2)))).toEqual([2, 2, 'empty line', 3, 'no tab']);
});

it('says how to mend line ends of CR', () => {
  const bad = [
    { line: 2, reason: 'CR between pairs' },
    { line: 3, reason: 'no tab' },
  ] as const;
  expect(renderMessage(describeBad(bad) as Message)).toBe(
    "2 bad lines: 2 (CR between pairs), 3 (no tab); convert CR to LF, for example with perl -pe 's/\\r\\n?/\\n/g'",
  );
});

it('describes one bad line, none, and more than ten', () => {
  expect(holeValues(describeBad([{ line: 3, reason: 'no tab' }]))).toEqual([1, 3, 'no tab']);
  expect(describeBad([])).toBeUndefined();
  const { bad } = read(`a\tb\n${'x\n'.repeat(12)}`);
  const values = holeValues(describeBad(bad)) ?? [];
  expect([values[0], values.length, values.at(-3), values.at(-1)]).toEqual([12, 22, 11, 2]);
});

it('reads further columns as references if asked to', () => {
  const text = 'a\tb\tc\t\td\ne\tf\n';
  const pairs = (references?: number) => readTsv(bytes(text), 'a.tsv', references).pairs;
  expect(pairs()).toEqual([
    { source: 'a', target: 'b' },
    { source: 'e', target: 'f' },
  ]);
  expect(pairs(3)[0]).toEqual({ source: 'a', target: 'b', others: ['c'] });
  expect(pairs(9)).toEqual([
    { source: 'a', target: 'b', others: ['c', 'd'] },
    { source: 'e', target: 'f' },
  ]);
  const { pairs: late, bad } = readTsv(bytes('a\t\t c \td\nb\t \t\n'), 'a.tsv', 3);
  expect(late).toEqual([{ source: 'a', target: 'c', others: ['d'] }]);
  expect(bad).toEqual([{ line: 2, reason: 'empty target' }]);
});

it('rejects an empty file, one without a tab, and one without a pair', () => {
  expect(() => read('')).toThrow(errorAbout({ area: 'a.tsv' }));
  expect(() => read('one\ntwo\n')).toThrow(errorAbout({ area: 'a.tsv' }));
  expect(() => read('\n')).toThrow(errorAbout({ area: 'a.tsv' }));
  expect(() => read('a\t\n\tb\n')).toThrow(
    errorAbout({ area: 'a.tsv', values: [2, 1, 'empty target', 'empty source'] }),
  );
});

it('names the line that is not UTF-8', () => {
  const latin1 = Uint8Array.from([...bytes('a\tb\nc\td\nn'), 0xf1, ...bytes('o\te\n')]);
  expect(() => readTsv(latin1, 'b.tsv')).toThrow(errorAbout({ area: 'b.tsv', values: [3] }));
  const cut = bytes('a\tñ').slice(0, -1);
  expect(() => readTsv(cut, 'b.tsv')).toThrow(errorAbout({ area: 'b.tsv', values: [1] }));
  const utf16 = Uint8Array.from([0xff, 0xfe, 0x61, 0, 9, 0, 0x62, 0]);
  expect(() => readTsv(utf16, 'b.tsv')).toThrow(errorAbout({ area: 'b.tsv', values: [1] }));
});

it.skipIf(!hasTatoeba)('reads all of Tatoeba (needs ../shared/data)', () => {
  const { pairs, bad, lines } = readTsv(readFileSync(tatoeba), 'train.tsv');
  expect(bad).toEqual([]);
  expect(pairs).toHaveLength(lines);
  expect(lines).toBe(111_057);
  expect(pairs[0]).toEqual({ source: 'Go.', target: 'Ve.' });
});
