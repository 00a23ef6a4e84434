// Reads pairs of all file formats in blocks.
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { pairBlocks } from '../../../src/text/corpus/pair-blocks.ts';
import type { PairFiles } from '../../../src/text/corpus/pair-files.ts';
import { parseBlock } from '../../../src/text/corpus/pair-records.ts';
import { errorAbout } from '../../support/expect-error.ts';

/**
 * Reads pairs of files in memory, in blocks of at least `blockBytes`, from a stream of chunks of `chunk`
 * bytes.
 */
async function read(
  texts: Record<string, string | Uint8Array>,
  given: PairFiles,
  { blockBytes = 2 ** 20, chunk = 7, references = 1 } = {},
) {
  let bytes = 0;
  const open = async (path: string): Promise<ReadableStream<Uint8Array>> => {
    const text = texts[path] ?? '';
    const all = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    let at = 0;
    return new ReadableStream({
      pull(controller) {
        if (at >= all.length) return controller.close();
        controller.enqueue(all.slice(at, at + chunk));
        at += chunk;
      },
    });
  };
  const blocks = [];
  for await (const block of pairBlocks(given, { open, blockBytes, references, onBytes: (n) => (bytes += n) }))
    blocks.push(await parseBlock(block));
  return {
    blocks: blocks.length,
    bytes,
    pairs: blocks.flatMap(({ pairs }) =>
      pairs.map((p) => [p.source, p.target, ...(p.others ?? [])].join(' | ')),
    ),
    bad: blocks.flatMap(({ bad }) => bad.map(({ line, reason }) => `${line} ${reason}`)),
  };
}

it('reads parallel files line by line, for any size of chunks and blocks', async () => {
  const texts = { en: 'one\ntwo  \n\nthree\n four', es: 'uno\r\ndos\r\n\r\n\r\ncuatro\r\n' };
  for (const blockBytes of [1, 9, 1000])
    for (const chunk of [1, 4, 100]) {
      const { pairs, bad, bytes } = await read(
        texts,
        { source: ['en'], target: ['es'] },
        { blockBytes, chunk },
      );
      expect(pairs).toEqual(['one | uno', 'two | dos', 'four | cuatro']);
      expect(bad).toEqual(['3 empty line', '4 empty target']);
      expect(bytes).toBe(texts.en.length + texts.es.length);
    }
});

it('reads several parallel files, each with its own numbers of lines', async () => {
  const texts = { a: 'a\nb\n', b: 'A\nB\n', c: 'c\n\n', d: 'C\nD\n' };
  const { pairs, bad } = await read(texts, { source: ['a', 'c'], target: ['b', 'd'] });
  expect(pairs).toEqual(['a | A', 'b | B', 'c | C']);
  expect(bad).toEqual(['2 empty source']);
});

it.each([
  ['a\nb\nc\n', 'A\nB\n', { values: ['en', 'es', 2] }],
  ['a\n', 'A\nB\n', { values: ['en', 'es', 1] }],
  ['', 'A\n', { area: 'en' }],
  ['a\n', '', { area: 'es' }],
])('rejects parallel files of different lengths: %j and %j', async (en, es, expected) => {
  await expect(read({ en, es }, { source: ['en'], target: ['es'] })).rejects.toThrow(errorAbout(expected));
});

it('rejects a side without the other, and no file at all', async () => {
  await expect(read({}, { source: ['en'] })).rejects.toThrow(errorAbout({ area: 'corpus', values: [1, 0] }));
  await expect(read({}, {})).rejects.toThrow(errorAbout({ area: 'corpus' }));
});

it('reads gzipped files, which it recognizes by their first bytes', async () => {
  const tsv = gzipSync('a\tb\nc\td\n');
  const { pairs, bytes } = await read({ 'x.tsv': tsv, 'y.tsv': 'e\tf\n' }, { files: ['x.tsv', 'y.tsv'] });
  expect(pairs).toEqual(['a | b', 'c | d', 'e | f']);
  expect(bytes).toBe(tsv.length + 4);
  const cut = read({ 'x.tsv.gz': tsv.subarray(0, 20) }, { files: ['x.tsv.gz'] });
  await expect(cut).rejects.toThrow(errorAbout({ area: 'x.tsv.gz' }));
});

it('reads CSV by the names of its columns, with quotes, commas and line breaks in fields', async () => {
  const csv = 'id,es,en\r\n1,"Hola, ""mundo""","Hello,\nworld"\r\n2,dos\r\n3,,three\r\n\r\n4,cuatro,four';
  const given = { files: ['x.csv'], sourceColumn: 'en', targetColumn: 'es' };
  for (const blockBytes of [1, 40, 1000]) {
    const { pairs, bad } = await read({ 'x.csv': csv }, given, { blockBytes });
    expect(pairs).toEqual(['Hello, world | Hola, "mundo"', 'four | cuatro']);
    expect(bad).toEqual(['2 no column', '3 empty target', '4 empty line']);
  }
  await expect(read({ 'x.csv': csv }, { files: ['x.csv'] })).rejects.toThrow(
    errorAbout({
      area: 'x.csv',
      options: ['sourceColumn', 'targetColumn'],
      values: ['source', 'id', 'es', 'en'],
    }),
  );
});

it('reads JSON lines by names or paths of fields, also several references', async () => {
  const jsonl = '{"source":"a","target":["b","c"]}\n[1]\n{"source":"x"}\nno\n\n{"source":"d","target":"e"}\n';
  const { pairs, bad } = await read(
    { 'x.jsonl': jsonl },
    { files: ['x.jsonl'] },
    { references: 2, blockBytes: 1 },
  );
  expect(pairs).toEqual(['a | b | c', 'd | e']);
  expect(bad).toEqual(['2 no field', '3 no field', '4 not JSON', '5 empty line']);
  const nested = { files: ['h.json'], sourceColumn: 'translation.en', targetColumn: 'translation.es' };
  expect((await read({ 'h.json': '{"translation":{"en":"a","es":"b"}}' }, nested)).pairs).toEqual(['a | b']);
});

it('reads TSV with a header if columns are named, and any format that is given', async () => {
  const given = { files: ['x'], sourceColumn: 'en', targetColumn: 'es' };
  expect((await read({ x: 'es\ten\nb\ta\n' }, given)).pairs).toEqual(['a | b']);
  expect((await read({ '-': 'source,target\na,b\n' }, { files: ['-'], format: 'csv' })).pairs).toEqual([
    'a | b',
  ]);
  expect((await read({ x: 'a\tb\tc\n' }, { files: ['x'] }, { references: 2 })).pairs).toEqual(['a | b | c']);
});

it('names the line that is not UTF-8, in any block', async () => {
  const latin1 = Uint8Array.from([...new TextEncoder().encode('a\tb\nc\td\n'), 0x65, 0x09, 0xf1, 0x0a]);
  for (const blockBytes of [1, 1000])
    await expect(read({ 'x.tsv': latin1 }, { files: ['x.tsv'] }, { blockBytes })).rejects.toThrow(
      errorAbout({ area: 'x.tsv', values: [3] }),
    );
});

it('reads lines that end in CR in every text format, also beside a file with LF', async () => {
  const pairs = ['one | uno', 'two | dos'];
  const texts = {
    'a.csv': 'source,target\rone,uno\rtwo,dos\r',
    'head.tsv': 'id\tsource\ttarget\r1\tone\tuno\r2\ttwo\tdos\r',
    'a.jsonl': '{"source":"one","target":"uno"}\r{"source":"two","target":"dos"}\r',
    'a.en': 'one\rtwo\r',
    'a.es': 'uno\ndos\n',
    'gz.tsv': gzipSync('one\tuno\rtwo\tdos'),
  };
  for (const name of ['a.csv', 'a.jsonl', 'gz.tsv'])
    expect((await read(texts, { files: [name] }, { blockBytes: 1 })).pairs, name).toEqual(pairs);
  const columns = { sourceColumn: 'source', targetColumn: 'target' };
  expect((await read(texts, { files: ['head.tsv'], ...columns })).pairs).toEqual(pairs);
  for (const blockBytes of [1, 2 ** 20]) {
    expect((await read(texts, { source: ['a.en'], target: ['a.es'] }, { blockBytes })).pairs).toEqual(pairs);
    const turned = await read(texts, { source: ['a.es'], target: ['a.en'] }, { blockBytes });
    expect(turned.pairs).toEqual(['uno | one', 'dos | two']);
  }
});

it('reports a line of LF that holds pairs whose lines end in CR, and keeps a CR inside of a text', async () => {
  const { pairs, bad } = await read(
    { 'a.tsv': 'one\tuno\r\ntwo\tdos\rthree\ttres\rfour\tcuatro\nfive\rsix\tcinco\nseven\tsie\rte\n' },
    { files: ['a.tsv'] },
  );
  expect(pairs).toEqual(['one | uno', 'five six | cinco', 'seven | sie te']);
  expect(bad).toEqual(['2 CR between pairs']);
});

it('reports lines of parallel files that hold as many CRs on both sides, and keeps a CR of one side', async () => {
  const { pairs, bad } = await read(
    { 'a.en': 'one\r\ntwo\rthree\r\nfo\rur\nfive\r', 'a.es': 'uno\r\ndos\rtres\ncuatro\ncinco\r' },
    { source: ['a.en'], target: ['a.es'] },
  );
  expect(pairs).toEqual(['one | uno', 'fo ur | cuatro', 'five | cinco']);
  expect(bad).toEqual(['2 CR between pairs']);
});

it('keeps a CR inside of a text if the line has as many tabs as the others', async () => {
  const { pairs, bad } = await read(
    { 'a.tsv': 'one\tuno\tun\ntwo\tdo\rs\tdeux\nthree\tt\rres\ttr\rois\rfour\tcuatro\tquatre\n' },
    { files: ['a.tsv'] },
    { references: 2 },
  );
  expect(pairs).toEqual(['one | uno | un', 'two | do s | deux']);
  expect(bad).toEqual(['3 CR between pairs']);
});

it('reads records of CSV that end in CR, LF and CRLF in one file, and reports lines of JSON that hold several', async () => {
  const csv =
    'source,target\n"o\rne",uno\rtwo,"d\r\nos"\r\nthree,tres\n"fo""ur",cuatro\r5" nail,clavo\r6" nail,tornillo\r';
  for (const blockBytes of [1, 2 ** 20]) {
    const { pairs, bad } = await read({ 'a.csv': csv }, { files: ['a.csv'] }, { blockBytes });
    expect(pairs).toEqual([
      'o ne | uno',
      'two | d os',
      'three | tres',
      'fo"ur | cuatro',
      '5" nail | clavo',
      '6" nail | tornillo',
    ]);
    expect(bad).toEqual([]);
  }
  const line = (source: string) => JSON.stringify({ source, target: 'x' });
  const json = `${line('a')}\n${line('b')}\r${line('c')}\n{\n${line('d')}\r\n`;
  const { pairs, bad } = await read({ 'a.jsonl': json }, { files: ['a.jsonl'] });
  expect(pairs).toEqual(['a | x', 'd | x']);
  expect(bad).toEqual(['2 CR between pairs', '3 not JSON']);
});

it('reports NUL characters in JSON, and empty sides in CSV', async () => {
  const texts = {
    'a.jsonl': '{"source":"a\\u0000","target":"b"}\n{"source":"a","target":"b"}\n',
    'a.csv': 'source,target\n,\n" "," "\na,\n,b\n\nc,d\n',
  };
  const badOf = async (name: string) => (await read(texts, { files: [name] })).bad;
  expect(await badOf('a.jsonl')).toEqual(['1 NUL byte']);
  expect(await badOf('a.csv')).toEqual([
    '1 both sides empty',
    '2 both sides empty',
    '3 empty target',
    '4 empty source',
    '5 empty line',
  ]);
});
