// Reads translation memories, XLIFF and gettext catalogs as pairs.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { pairReaders } from '../../../../src/features/documents/pairs/pair-readers.ts';
import { pairBlocks } from '../../../../src/text/corpus/pair-blocks.ts';
import type { PairFiles } from '../../../../src/text/corpus/pair-files.ts';
import { parseBlock } from '../../../../src/text/corpus/pair-records.ts';
import { errorAbout } from '../../../support/expect-error.ts';

/** The pairs of a file in memory, from a stream of chunks of `chunk` bytes. */
async function read(
  name: string,
  data: string | Uint8Array,
  options: Omit<PairFiles, 'files'> = {},
  chunk = 50,
) {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  const open = async () => {
    let at = 0;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, at + chunk));
        at += chunk;
      },
    });
  };
  const pairs: string[] = [];
  for await (const block of pairBlocks({ files: [name], ...options }, { open, readers: pairReaders }))
    for (const pair of (await parseBlock(block)).pairs) pairs.push(`${pair.source} | ${pair.target}`);
  return pairs;
}

it('PO is read with lines that end in CR, and NUL characters are reported', async () => {
  const lines = 'msgid ""\rmsgstr ""\r\rmsgid "one"\rmsgstr "uno"\r\rmsgid "two"\rmsgstr "dos"\r';
  expect(await read('a.po', lines)).toEqual(['one | uno', 'two | dos']);
  const bytes = new TextEncoder().encode('msgid "a\0b"\nmsgstr "c"\n\nmsgid "d"\nmsgstr "e"\n');
  const open = async () => new Blob([bytes]).stream();
  for await (const block of pairBlocks({ files: ['a.po'] }, { open, readers: pairReaders }))
    expect((await parseBlock(block)).bad).toEqual([{ line: 1, reason: 'NUL byte' }]);
});

const tmx = (units: string, header = 'srclang="en"') =>
  `<?xml version="1.0"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"><header ${header}/><body>${units}</body></tmx>`;
const tu = (texts: Record<string, string>) =>
  `<tu>${Object.entries(texts)
    .map(([lang, text]) => `<tuv xml:lang="${lang}"><prop type="x">p</prop><seg>${text}</seg></tuv>`)
    .join('')}</tu>`;

describe('TMX', () => {
  it('is read in chunks of any size, gzipped and in UTF-16', async () => {
    const text = tmx(
      tu({ es: 'Hola &amp; <![CDATA[<adiós>]]>', en: 'Hello &#233;' }) +
        tu({ 'en-US': '  Two\n lines ', 'es-MX': 'Dos' }),
    );
    const expected = ['Hello é | Hola & <adiós>', 'Two lines | Dos'];
    for (const chunk of [1, 7, 1000]) expect(await read('a.tmx', text, {}, chunk)).toEqual(expected);
    expect(await read('a.tmx.gz', gzipSync(text))).toEqual(expected);
    const utf16 = new Uint8Array(Buffer.from(`\ufeff${text}`, 'utf16le'));
    expect(await read('a.tmx', utf16)).toEqual(expected);
  });

  it('asks for the languages if there are three, and takes those that are named', async () => {
    const text = tmx(tu({ en: 'one', es: 'uno', fr: 'un' }), 'srclang="*all*"');
    await expect(read('a.tmx', text)).rejects.toThrow(
      errorAbout({ area: 'a.tmx', options: ['sourceColumn', 'targetColumn'], values: ['en', 'fr'] }),
    );
    expect(await read('a.tmx', text, { sourceColumn: 'fr', targetColumn: 'EN' })).toEqual(['un | one']);
    await expect(read('a.tmx', text, { sourceColumn: 'de', targetColumn: 'en' })).rejects.toThrow(
      errorAbout({ area: 'a.tmx' }),
    );
  });

  it('drops the codes of inline elements, or makes them placeholders that both sides share', async () => {
    const text = tmx(
      tu({
        en: 'Press <bpt i="1">&lt;b><sub>no</sub></bpt>OK<ept i="1">&lt;/b></ept><ph x="2"/> now',
        es: 'Pulse <ph x="2"/> <bpt i="1">&lt;b></bpt>OK<ept i="1">&lt;/b></ept>',
      }),
    );
    expect(await read('a.tmx', text)).toEqual(['Press OK now | Pulse OK']);
    const [pair] = await read('a.tmx', text, { tags: 'placeholders' });
    expect(pair).toBe('Press \ue800OK\uf000\ue001 now | Pulse \ue001 \ue800OK\uf000');
  });

  it('is refused if it is hostile or damaged', async () => {
    const bomb =
      '<?xml version="1.0"?><!DOCTYPE tmx [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><tmx><header/><body><tu><tuv xml:lang="en"><seg>&b;</seg></tuv></tu></body></tmx>';
    await expect(read('a.tmx', bomb)).rejects.toThrow(errorAbout({ area: 'a.tmx', values: [1] }));
    await expect(read('a.tmx', tmx(tu({ en: '&secret;', es: 'x' })))).rejects.toThrow(
      errorAbout({ area: 'a.tmx', values: [3, 'undefined entity.'] }),
    );
    await expect(read('a.tmx', tmx('<a>'.repeat(5000)))).rejects.toThrow(
      errorAbout({ area: 'a.tmx', values: [3] }),
    );
    await expect(read('a.tmx', tmx(tu({ en: 'a'.repeat(6e6), es: 'x' })), {}, 2 ** 16)).rejects.toThrow(
      errorAbout({ area: 'a.tmx', values: [3] }),
    );
    await expect(read('a.tmx', tmx(tu({ en: 'a', es: 'b' })).slice(0, -20))).rejects.toThrow(
      errorAbout({ area: 'a.tmx', values: [3, 'unclosed tag: tuv'] }),
    );
    await expect(read('a.tmx', '<html/>')).rejects.toThrow(errorAbout({ area: 'a.tmx', values: ['TMX'] }));
    await expect(read('a.tmx', '')).rejects.toThrow(errorAbout({ area: 'a.tmx' }));
  });
});

describe('XLIFF', () => {
  it('1.2 gives its translated segments, without alternatives and untranslated states', async () => {
    const text = `<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2"><file source-language="en" target-language="es"><body><group>
      <trans-unit id="1"><source>Click <g id="1">here</g><x id="2"/></source><seg-source>no</seg-source>
        <target state="translated">Pulse <x id="2"/><g id="1">aquí</g></target><alt-trans><source>s</source><target>no</target></alt-trans></trans-unit>
      <trans-unit id="2"><source>New</source><target state="needs-translation">New</target></trans-unit>
      <trans-unit id="3"><source>Only source</source></trans-unit>
      </group></body></file></xliff>`;
    expect(await read('a.xlf', text)).toEqual(['Click here | Pulse aquí']);
    expect(await read('a.xlf', text, { sourceColumn: 'es', targetColumn: 'en' })).toEqual([
      'Pulse aquí | Click here',
    ]);
    const [pair] = await read('a.xlf', text, { tags: 'placeholders' });
    expect(pair).toBe('Click \ue800here\uf000\ue001 | Pulse \ue001\ue800aquí\uf000');
  });

  it('2.0 gives its translated segments', async () => {
    const text = `<xliff version="2.0" srcLang="en" trgLang="es" xmlns="urn:oasis:names:tc:xliff:document:2.0"><file id="f"><unit id="1">
      <segment id="s" state="final"><source>A <pc id="1">bold</pc> <ph id="2"/>text</source><target>Un <ph id="2"/>texto <pc id="1">negro</pc></target></segment>
      <segment state="initial"><source>No</source><target>No</target></segment></unit></file></xliff>`;
    expect(await read('a.xliff', text)).toEqual(['A bold text | Un texto negro']);
  });
});

describe('gettext catalogs', () => {
  const po = String.raw`msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 ? 1 : 2);\n"

#: a.c:1
msgid "Open"
msgstr "Открыть"
#, fuzzy
msgid "Close"
msgstr "no"

msgctxt "menu"
msgid "Two "
"\"lines\"\n"
msgstr "Две \"строки\"\n"

msgid "%d file"
msgid_plural "%d files"
msgstr[0] "%d файл"
msgstr[1] "%d файла"
msgstr[2] "%d файлов"

msgid "Empty"
msgstr ""

#~ msgid "Old"
#~ msgstr "Старый"
`;

  it('in PO give translated messages with contexts and plurals', async () => {
    const expected = [
      'Open | Открыть',
      'Two "lines" | Две "строки"',
      '%d file | %d файл',
      '%d files | %d файла',
      '%d files | %d файлов',
    ];
    expect(await read('ru.po', po)).toEqual(expected);
    expect(await read('ru.po', po.replaceAll('\n', '\r\n'))).toEqual(expected);
    await expect(read('ru.po', 'msgid "a"\nmsgstr b\n')).rejects.toThrow(
      errorAbout({ area: 'ru.po', values: [2] }),
    );
  });

  const folder = '/usr/share/locale/es/LC_MESSAGES';
  const catalogs = existsSync(folder) && existsSync('/usr/bin/msgunfmt') ? readdirSync(folder) : [];

  it.skipIf(catalogs.length === 0)('of this machine are read as msgunfmt reads them', async () => {
    let count = 0;
    // libc.mo has strings that depend on the system.
    const some = catalogs.filter((file) => file.endsWith('.mo'));
    for (const name of new Set([...some.slice(0, 12), ...some.filter((file) => file === 'libc.mo')])) {
      const path = `${folder}/${name}`;
      const bytes = readFileSync(path);
      const pairs = await read(name, bytes, {}, 2 ** 16);
      const text = execFileSync('msgunfmt', [path], { maxBuffer: 2 ** 28 });
      expect(pairs.sort()).toEqual((await read('x.po', text, {}, 2 ** 16)).sort());
      count += pairs.length;
    }
    expect(count).toBeGreaterThan(100);
  });

  it('in MO are refused if they are damaged', async () => {
    await expect(read('a.mo', new Uint8Array(40))).rejects.toThrow(errorAbout({ area: 'a.mo' }));
    const cut = new Uint8Array(28);
    new DataView(cut.buffer).setUint32(0, 0x950412de, true);
    new DataView(cut.buffer).setUint32(8, 1000, true);
    await expect(read('a.mo', cut)).rejects.toThrow(errorAbout({ area: 'a.mo' }));
    // A string that depends on the system, whose segments have no end.
    const endless = new Uint8Array(64);
    const view = new DataView(endless.buffer);
    for (const [at, value] of [0x950412de, 1, 0, 0, 0, 0, 0, 0, 0, 1, 48, 48, 52].entries())
      view.setUint32(4 * at, value, true);
    await expect(read('a.mo', endless)).rejects.toThrow(errorAbout({ area: 'a.mo', values: [0] }));
  });
});
