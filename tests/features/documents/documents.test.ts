// Documents of all formats: only the translated segments change, and the result is valid.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { SegmentTranslation } from '../../../src/features/documents/document.ts';
import { openDocument } from '../../../src/features/documents/document-formats.ts';
import {
  type DocumentTranslationOptions,
  translateDocument,
} from '../../../src/features/documents/translate-document.ts';
import { TranslationMemory } from '../../../src/features/documents/translation-memory.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { fakeModel } from '../../support/fake-sentence-model.ts';

/** The translation of a file, in capitals by default, and its reports. */
async function translate(
  name: string,
  data: string | Uint8Array,
  {
    lang,
    model: translation = (some) => some.toUpperCase(),
    ...options
  }: DocumentTranslationOptions & { readonly lang?: string; model?(text: string): string } = {},
) {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  const document = await openDocument(bytes, name, { targetLang: lang });
  const model = fakeModel(translation);
  const out: Uint8Array[] = [];
  const reports = [];
  const done: (readonly (SegmentTranslation | null)[])[] = [];
  for await (const part of translateDocument(model, document, { atOnce: 2, ...options })) {
    out.push(document.encode(part.text));
    reports.push(...part.reports);
    done.push(...part.translations);
  }
  const all = Buffer.concat(out);
  return { bytes: all, text: all.toString(), reports, done };
}

const po = String.raw`# Translators
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

#: a.c:1
#, c-format
msgid "copy %s\n"
msgstr ""

msgid "Done"
msgstr "Hecho"

#| msgid "old"
msgid "new \"text\""
msgstr ""

msgid "%d file"
msgid_plural "%d files"
msgstr[0] ""
msgstr[1] ""

#~ msgid "gone"
#~ msgstr ""`;

it('PO: fills untranslated messages as fuzzy and keeps all other lines', async () => {
  const { text, reports } = await translate('a.po', po);
  expect(text).toBe(
    po
      .replace(
        '#, c-format\nmsgid "copy %s\\n"\nmsgstr ""',
        '#, fuzzy, c-format\nmsgid "copy %s\\n"\nmsgstr "COPY %s\\n"',
      )
      .replace('msgid "new \\"text\\""\nmsgstr ""', 'msgid "new \\"text\\""\nmsgstr "NEW \\"TEXT\\""')
      .replace('#| msgid "old"', '#, fuzzy\n#| msgid "old"')
      .replace('msgid "%d file"\n', '#, fuzzy\nmsgid "%d file"\n')
      .replace('msgstr[0] ""\nmsgstr[1] ""', 'msgstr[0] "%d FILE"\nmsgstr[1] "%d FILES"'),
  );
  expect(reports.map(({ unit, origin }) => `${unit} ${origin}`)).toEqual([
    'line 9 machine',
    'line 16 machine',
    'line 19 machine',
    'line 19 machine',
  ]);
  if (existsSync('/usr/bin/msgfmt'))
    execFileSync('msgfmt', ['--check-format', '--use-fuzzy', '-o', '/dev/null', '-'], { input: text });
});

it('PO: other encodings and line breaks stay', async () => {
  const latin = Buffer.from(
    po.replace('UTF-8', 'ISO-8859-1').replace('Translators', 'Niño').replaceAll('\n', '\r\n'),
    'latin1',
  );
  const { bytes } = await translate('a.po', latin);
  const text = bytes.toString('latin1');
  expect(text).toContain('# Niño\r\n');
  expect(text).toContain('msgstr "COPY %s\\n"\r\n');
  expect(text.replaceAll('\r\n', '')).not.toContain('\n');
});

const xliff = `<?xml version="1.0"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
 <file original="x" source-language="en" datatype="plaintext"><body>
  <trans-unit id="1" xml:space='preserve'>
    <source>A <g id="1" ctype="bold">bold &amp; brave</g><x id="2"/> text<ph id="3">&lt;br&gt;</ph></source>
    <note>n</note>
  </trans-unit>
  <trans-unit id="2"><source>old</source><target  state="final">viejo &#xe9;</target></trans-unit>
  <trans-unit id="3"><source>new {name}</source><target xml:lang="es" state="new"/></trans-unit>
  <trans-unit id="4" translate="no"><source>keep</source></trans-unit>
 </body></file>
</xliff>`;

it('XLIFF 1.2: adds targets with their state and inline elements', async () => {
  const { text } = await translate('a.xlf', xliff, { lang: 'es' });
  expect(text).toBe(
    xliff
      .replace('datatype="plaintext"', 'datatype="plaintext" target-language="es"')
      .replace(
        '</source>\n    <note>',
        '</source>\n    <target state="needs-review-translation">A <g id="1" ctype="bold">BOLD &amp; BRAVE</g><x id="2"/> TEXT<ph id="3">&lt;br&gt;</ph></target>\n    <note>',
      )
      .replace(
        '<target xml:lang="es" state="new"/>',
        '<target xml:lang="es" state="needs-review-translation">NEW {name}</target>',
      ),
  );
});

it('XLIFF 2.0: marks segments as translated', async () => {
  const source = `<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.0" srcLang="en"><file id="f"><unit id="u">
    <segment id="s1"><source>one <pc id="1">two</pc> <ph id="2"/></source></segment>
    <ignorable><source> </source></ignorable>
    <segment state="initial"><source>three</source><target/></segment></unit></file></xliff>`;
  const { text } = await translate('a.xliff', source, { lang: 'es' });
  expect(text).toBe(
    source
      .replace('srcLang="en"', 'srcLang="en" trgLang="es"')
      .replace('<segment id="s1">', '<segment id="s1" state="translated" subState="heddle:needs-review">')
      .replace(
        '</source></segment>',
        '</source><target>ONE <pc id="1">TWO</pc> <ph id="2"/></target></segment>',
      )
      .replace('<segment state="initial">', '<segment state="translated" subState="heddle:needs-review">')
      .replace('<target/>', '<target>THREE</target>'),
  );
});

it('HTML: keeps tags, attributes, scripts and references', async () => {
  const html = `<!DOCTYPE html>\n<title>my page</title><script>var a = "<p>no</p>";</script>
<p class="x">one <b>two <i>three</i></b>&nbsp;four &amp; five<br>six <code translate="no">x()</code></p>
<ul><li>seven<li>eight</ul><p>12</p>`;
  const { text } = await translate('a.html', html);
  expect(text).toBe(
    html
      .replace('my page', 'MY PAGE')
      .replace(
        'one <b>two <i>three</i></b>&nbsp;four &amp; five<br>six',
        'ONE <b>TWO <i>THREE</i></b>&nbsp;FOUR &amp; FIVE<br>SIX',
      )
      .replace('seven<li>eight', 'SEVEN<li>EIGHT'),
  );
});

it('HTML: translates the attributes that people read, in blocks and in inline tags', async () => {
  const html = `<meta name="description" content='a "good" page'><meta name="viewport" content="width=device-width">
<img src="a.png" alt=cat><p title="a tip &amp; more" class="b c">see <img alt="the &lt;dog&gt; {name}" src="d">and <a title='x&nbsp;y'
 href="f g"><b>this</b></a></p><input placeholder="your name" value="z"><input type="submit" value="send" name="n">
<p>12 <abbr title="hours">34</abbr></p><p title="no" translate="no">a <i title="no">b</i></p><p title="99">e</p>
<textarea placeholder="write">not this</textarea><span translate="no" title="no">c</span><i title>d</i>`;
  const { text } = await translate('a.html', html);
  expect(text).toBe(
    html
      .replace(`'a "good" page'`, '"A &quot;GOOD&quot; PAGE"')
      .replace('alt=cat', 'alt="CAT"')
      .replace('a tip &amp; more', 'A TIP &amp; MORE')
      .replace('see <img', 'SEE <img')
      .replace('the &lt;dog&gt; {name}', 'THE &lt;dog&gt; {name}')
      .replace('>and', '>AND')
      .replace(`'x&nbsp;y'`, '"X&nbsp;Y"')
      .replace('>this<', '>THIS<')
      .replace('your name', 'YOUR NAME')
      .replace('"send"', '"SEND"')
      .replace('hours', 'HOURS')
      .replace('>e<', '>E<')
      .replace('write', 'WRITE')
      .replace('>d<', '>D<'),
  );
});

it('HTML: keeps character references where the text allows it, and does not translate code', async () => {
  const lost = (text: string) => text.toUpperCase().replace(/[^\p{L}\p{N} .]/gu, '');
  const html =
    '<p>Second line &copy; 2024 &mdash; Tom &amp; Jerry &lt;3 &#169; &nbsp;end</p><p>caf&eacute; it&rsquo;s <code>x = 1</code> <kbd>Ctrl</kbd> <samp>ok</samp> and <var>n</var> here <code translate="yes">yes</code></p>\n<p title="a &copy; b &amp; c">see &quot;this&quot;<code>y';
  const { text } = await translate('a.html', html, { model: lost });
  const references = (some: string) => some.match(/&[#\w]+;/g)?.sort();
  const kept = html.replace('&rsquo;', '').replace('&eacute;', '');
  expect(references(text)).toEqual(references(kept));
  expect(text).toMatch(/&copy; 2024 &mdash; TOM &amp; JERRY &lt;3/);
  for (const code of ['<code>x = 1</code>', '<kbd>Ctrl</kbd>', '<samp>ok</samp>', '<var>n</var>', '<code>y'])
    expect(text).toContain(code);
  expect(text).toContain('<code translate="yes">YES</code>');
  expect(text).toContain('title="A &copy; B &amp; C"');
  // What the model copies is written as before: words, apostrophes, text in another script.
  for (const same of [
    '<p>caf&eacute; &ntilde; Pen</p>',
    '<p>caf&eacute; ol\u00e9 can&rsquo;t</p>',
    '<p>&#1055;&#1088;&#1080; &#1080; Microsoft</p>',
  ])
    expect((await translate('a.html', same, { model: (t) => t })).text).toBe(same);
  const braces = '<p>{a<br>b} of</p>';
  expect((await translate('a.html', braces, { model: (t) => t })).text).toBe(braces);
  expect((await translate('a.html', '<p>it&rsquo;s</p>', { model: () => "c'est" })).text).toBe(
    '<p>c&rsquo;est</p>',
  );
  // Letters that are signs, numbers, emoji, characters of icon fonts, two characters, elements in braces, no semicolon.
  for (const kept of [
    '10 &micro;m', '&alpha;&beta; is', '2&frac12; of', 'x&sup2; of', '1&ordf; of', '&#9829;&#xFE0F; of', '&#x1F1EA;&#x1F1F8; of', 'of \ue012 &#xe013;',
    'of &nvlt;', '&copy 2024 of', 'of &amp;copy;', '<img alt="&copy 2024 of &amp; &lt;b&gt;"> of',
  ]) {
    const { text } = await translate('a.html', `<p>${kept} words</p>`, { model: lost });
    expect(text.toLowerCase()).toContain(kept.toLowerCase());
  } // biome-ignore format: a list
});

it('subtitles: keeps dashes, notes and line breaks', async () => {
  const cue = (text: string) => `1\n00:00:01,000 --> 00:00:02,000\n${text}\n\n`;
  const srt =
    cue('<i>I am going home.</i>\n- And you?') +
    cue('-Who?\n<i>- Me.</i>') +
    cue('♪ la la la ♪\n♪ lo lo ♪') +
    cue('{\\an8}♪ one two\nthree four ♪') +
    cue('<v Bob>hello you</v>\n-Yes, hello.');
  const { text } = await translate('a.srt', srt);
  expect(text).toBe(
    srt.replace(/^(?!.*-->).*$/gm, (line) =>
      line
        .toUpperCase()
        .replace(/<.*?>|\\AN8/g, (tag) => (tag === '<V BOB>' ? '<v Bob>' : tag.toLowerCase())),
    ),
  );
  const japanese = await translate('a.srt', cue('one two\nthree four'), {
    model: () => '今日はとても良い天気です',
  });
  expect(japanese.text.trim().split('\n')).toHaveLength(4);
});

it('subtitles: keeps times, tags and numbers of lines', async () => {
  const srt =
    '1\r\n00:00:01,000 --> 00:00:02,000\r\none two\r\n<i>three</i> four\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\n- Who?\r\n- Me.\r\n';
  expect((await translate('a.srt', srt)).text).toBe(
    srt
      .replace('one two\r\n<i>three</i> four', 'ONE TWO\r\n<i>THREE</i> FOUR')
      .replace('Who?\r\n- Me', 'WHO?\r\n- ME'),
  );
  const vtt = 'WEBVTT\n\nNOTE one\n\nid\n00:01.000 --> 00:02.000 align:start\n<v Bob>hello <c.a>you</c>\n';
  expect((await translate('a.vtt', vtt)).text).toBe(vtt.replace('hello <c.a>you', 'HELLO <c.a>YOU'));
});

it('plain text: translates paragraphs and keeps space between them', async () => {
  const text = '  One two. Three.\n\n\n- four\n- five\n   \nsix\n';
  expect((await translate('a.txt', text)).text).toBe(text.toUpperCase());
});

it('takes matches of a memory first, and resumes with what was done', async () => {
  const memory = new TranslationMemory();
  memory.add({
    source: 'A \ue800bold & brave\uf000\ue001 text\ue002',
    target: 'Un \ue001texto\ue002 \ue800bravo\uf000',
  });
  memory.add({ source: 'new old {name}', target: 'nuevo viejo {name}' });
  const options = { memory, threshold: 0.6 };
  const { text, reports, done } = await translate('a.xlf', xliff, options);
  expect(text).toContain(
    '<target state="translated">Un <x id="2"/>texto<ph id="3">&lt;br&gt;</ph> <g id="1" ctype="bold">bravo</g></target>',
  );
  expect(text).toContain('state="needs-review-translation">nuevo viejo {name}</target>');
  expect(reports.map(({ origin, similarity = 0 }) => `${origin} ${similarity.toFixed(2)}`)).toEqual([
    'exact 1.00',
    'fuzzy 0.80',
  ]);
  const resumed = await translate('a.xlf', xliff, { done: done.slice(0, 2) });
  expect(resumed.text).toContain('bravo</g></target>');
  expect(resumed.text).toContain('NEW {name}');
});

it('HTML: keeps malformed tags and the bytes of URLs and references', async () => {
  const html =
    '<p>one </b>two <a href="x">see http://a.b/?c=1&d=2 &eacute;&lt;x&gt; <i>three</a> four</p><p>5 < 6 &unknown; {a&amp;b}</p>';
  const { text } = await translate('a.html', html);
  // Spaces may be on either side of a tag.
  const joined = (some: string) => some.replace(/ ?(<[^>]*>) ?/g, '$1');
  expect(joined(text)).toBe(
    '<p>ONE</b>TWO<a href="x">SEE http://a.b/?c=1&d=2 É&lt;x&gt;<i>THREE</a>FOUR</p><p>5 &lt; 6 &unknown; {a&amp;b}</p>',
  );
});

it('HTML: refuses elements that are nested deeper than any page', async () => {
  await expect(translate('a.html', `${'<div>'.repeat(10_001)}Hi`)).rejects.toThrow(
    errorAbout({ area: 'a.html', values: [10_000] }),
  );
  const { text } = await translate('a.html', `${'<div>'.repeat(10_000)}Hi`);
  expect(text).toHaveLength(50_002);
});

it('translates a segment of 20,000 words in seconds', async () => {
  const words = `${'The cat sees the dog and the man. '.repeat(2_500)}End.`;
  const { text } = await translate('a.txt', words, { model: (t) => t });
  expect(text).toBe(words);
});

it('XLIFF: keeps elements nested if markers have no ids, ids occur twice, or text codes cross them', async () => {
  const source =
    '<g id="1">one <mrk mtype="term">two</mrk> &lt;b&gt;three</g> &lt;/b&gt; <g id="1">four <mrk mtype="term">five</mrk></g>';
  const xml = (target: string) =>
    `<xliff version="1.2"><file source-language="en"><body><trans-unit id="1"><source>${source}</source>${target}</trans-unit></body></file></xliff>`;
  const { text } = await translate('a.xliff', xml(''));
  const target = /<target[^>]*>(.*)<\/target>/.exec(text)?.[1] ?? '';
  expect(target).toMatch(/ONE.*TWO.*FIVE/);
  const elements = (some: string) => some.match(/<[^>]*>/g);
  expect(elements(target)).toEqual(elements(source));
});

it('XLIFF: translates the sentences that a file has split off, and nothing that is protected', async () => {
  const source = (tag: string, xml: string) => `<${tag}>${xml}</${tag}>`;
  const split = (a: string, b: string) =>
    ` <mrk mtype="seg" mid="1">${a}</mrk> <mrk mtype="seg" mid="2">${b}</mrk>\n<mrk mtype="seg" mid="3"> </mrk>`;
  const kept = '<mrk mtype="protected">one two</mrk>';
  const xml = `<xliff version="1.2"><file source-language="en"><body>
<trans-unit id="1">${source('source', 'One. Two &amp; three.')}${source('seg-source', split('One.', 'Two &amp; three.'))}</trans-unit>
<trans-unit id="2">${source('source', `see ${kept} now`)}</trans-unit></body></file></xliff>`;
  const { text, reports } = await translate('a.xliff', xml);
  const targets = [...text.matchAll(/<target[^>]*>(.*?)<\/target>/gs)].map(([, target]) => target);
  expect(targets).toEqual([split('ONE.', 'TWO &amp; THREE.'), `SEE ${kept} NOW`]);
  expect(reports.map(({ unit }) => unit)).toEqual(['1', '1', '2']);
  const two = (xml: string) =>
    `<xliff version="2.0" srcLang="en"><file id="f"><unit id="1"><segment><source>${xml}</source></segment></unit></file></xliff>`;
  const mark = '<mrk id="m" translate="no">one</mrk>';
  const later = await translate('a.xlf', two(`see ${mark} now`));
  expect(later.text).toContain(`<target>SEE ${mark} NOW</target>`);
});

it('PO: keeps options, line breaks in sentences, spaces at ends, and no % that is no directive', async () => {
  const long = 'remote file exists and may contain further links,\\nbut recursion is off -- it stays here';
  const source = `msgid ""\nmsgstr ""\n\n${[
    ['c-format', 'resolving %s... '],
    ['c-format', 'failed: %s'],
    ['', 'use -h, --help or --log-file=name here'],
    ['', `${long}.\\n`],
  ]
    .map(([flag, id]) => `${flag ? `#, ${flag}\n` : ''}msgid "${id}"\nmsgstr ""\n`)
    .join('\n')}`;
  const { text } = await translate('a.po', source, {
    model: (some) => some.toUpperCase().replace('%S', '%s').replace('FAILED:', 'FAILED %, '),
  });
  const values = [...text.matchAll(/msgstr ((?:"[^\n]*"\n)+)/g)].map(([, lines = '']) =>
    lines.replace(/"\n"|^"|"\n$/g, ''),
  );
  expect(values.slice(1)).toEqual([
    'RESOLVING %s... ',
    'FAILED , %s',
    'USE -h, --help OR --log-file=NAME HERE',
    `${long.toUpperCase().replace('\\N', '\\n')}.\\n`,
  ]);
});

it.each([
  ['pairs', 300, (i: number) => `word${i} <b id="${i}">bold${i}</b>`, /<b id="\d+">/g],
  ['single codes', 4500, (i: number) => `word${i} <img src="${i}">`, /<img src="\d+">/g],
  ['codes without spaces', 300, (i: number) => `字${i}<img src="${i}">`, /<img src="\d+">/g],
])('translates a paragraph with many %s in parts', async (_, count, part, code) => {
  const lengths: number[] = [];
  const source = `<p>${Array.from({ length: count }, (_, i) => part(i)).join(' ')}. End.</p>`;
  const { text } = await translate('long.html', source, {
    model: (some) => {
      lengths.push(some.length);
      return some.replace(/\p{L}+/gu, (word) => word.toUpperCase());
    },
  });
  expect(text.match(code)).toEqual(source.match(code));
  expect(text).toMatch(/END\.<\/p>$/);
  // The time to place codes grows with the square of their number in a part.
  expect(Math.max(...lengths)).toBeLessThan(2000);
});

it('keeps a pair around a paragraph with many codes', async () => {
  const inner = Array.from({ length: 200 }, (_, i) => `word <i>${i} in</i>`).join(' ');
  const { text } = await translate('long.html', `<p><em>${inner} end</em></p>`);
  expect(text).toMatch(/^<p><em>WORD .* END<\/em><\/p>$/);
  expect(text.match(/<[^>]*>/g)).toEqual([
    '<p>',
    '<em>',
    ...(inner.match(/<[^>]*>/g) ?? []),
    '</em>',
    '</p>',
  ]);
});

it.each(['Modified at %H:%M on %Y-%m-%d', 'Backup of %Y %T', 'Created %-d %B %Y, %I:%M %p', 'Week %V of %G'])(
  'keeps the codes of dates in a message without a flag: %s',
  async (message) => {
    const { text } = await translate('dates.po', `msgid "${message}"\nmsgstr ""\n`, {
      // A model that would change letters and signs of a date.
      model: (some) => some.toLowerCase().replaceAll(/[%:]/g, ' '),
    });
    const codes = /%-?[A-Za-z](?:[-:]%[A-Za-z])*/g;
    const [source, target] = [message.match(codes), /msgstr "(.*)"/.exec(text)?.[1]?.match(codes)];
    expect(target).toEqual(source);
  },
);
