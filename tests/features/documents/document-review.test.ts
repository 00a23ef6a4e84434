// A document under review: edited texts keep their codes, and only valid ones are written.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openDocument } from '../../../src/features/documents/document-formats.ts';
import { DocumentReview } from '../../../src/features/documents/document-review.ts';
import { readTmx } from '../../../src/features/documents/pairs/tmx.ts';
import { writeTmx } from '../../../src/features/documents/write-tmx.ts';

const xliff = `<xliff version="1.2"><file source-language="en" original="x" datatype="plaintext"><body>
<trans-unit id="1"><source>One <g id="1">two</g> %s &amp; <x id="2"/></source></trans-unit>
<trans-unit id="2"><source>old</source><target>viejo</target></trans-unit>
<trans-unit id="3"><source>three</source></trans-unit></body></file></xliff>`;
const open = async () =>
  new DocumentReview(await openDocument(new TextEncoder().encode(xliff), 'a.xlf', { targetLang: 'es' }));

it('shows segments with their codes, and writes what keeps them', async () => {
  const review = await open();
  expect(review.segments.map(({ shown, isTranslated }) => [shown, isTranslated])).toEqual([
    ['One <g id="1">two</g> %s & <x id="2"/>', false],
    ['old', true],
    ['three', false],
  ]);
  const edited = 'Uno <x id="2"/> & %s <g id="1">dos</g>';
  expect(review.isValid(0, edited)).toBe(true);
  expect(review.isValid(0, 'Uno <g id="1">dos</g>')).toBe(false);
  expect(review.check(0, 'Uno <g id="1">dos</g>')[0]?.check).toBe('tags');
  const write = (text: string) =>
    new TextDecoder().decode(
      review.write(
        new Map([
          [0, { text, origin: 'exact' }],
          [2, { text: 'tres', origin: 'machine' }],
        ]),
      ),
    );
  expect(write(edited)).toContain('Uno <x id="2"/> &amp; %s <g id="1">dos</g></target>');
  expect(write('Uno')).toContain('<x id="2"/></source></trans-unit>');
  expect(write('Uno')).toContain('<target state="needs-review-translation">tres</target>');
});

it('shows the translations of a document, and writes those that a reviewer changes or confirms', async () => {
  const of = async (name: string, text: string) =>
    new DocumentReview(await openDocument(new TextEncoder().encode(text), name, { targetLang: 'es' }));
  const written = (review: DocumentReview, index: number, text: string) =>
    new TextDecoder().decode(review.write(new Map([[index, { text, origin: 'exact' }]])));

  expect((await open()).segments.map(({ target }) => target)).toEqual([undefined, 'viejo', undefined]);
  const po = '#, fuzzy, c-format\nmsgid "%d cats"\nmsgstr "%d gatas"\n\n#, fuzzy\nmsgid "a"\nmsgstr "b"\n';
  const catalog = await of('a.po', po);
  expect(catalog.segments.map(({ target }) => target)).toEqual(['%d gatas', 'b']);
  expect(written(catalog, 0, '%d gatos')).toBe(
    po.replace('#, fuzzy, c-format', '#, c-format').replace('gatas', 'gatos'),
  );
  expect(written(catalog, 1, 'b')).toBe(po.replace('#, fuzzy\nmsgid', 'msgid'));

  const mark = (n: number, text: string) => `<mrk mtype="seg" mid="${n}">${text}</mrk>`;
  const sentences = await of(
    'a.xlf',
    `<xliff version="1.2"><file source-language="en" original="x" datatype="plaintext"><body><trans-unit id="1">
    <source>One &amp; <x id="1"/>. Two.</source><seg-source>${mark(1, 'One &amp; <x id="1"/>.')} ${mark(2, 'Two.')}</seg-source>
    <target>${mark(1, 'Uno &amp; <x id="1"/>.')} ${mark(2, 'Tos.')}</target></trans-unit></body></file></xliff>`,
  );
  expect(sentences.segments.map(({ target }) => target)).toEqual(['Uno & <x id="1"/>.', 'Tos.']);
  expect(written(sentences, 1, 'Dos.')).toContain(
    `${mark(1, 'Uno &amp; <x id="1"/>.')} ${mark(2, 'Dos.')}</target>`,
  );
});

it('makes pairs of a memory, whose file has their elements', async () => {
  const review = await open();
  const pair = review.pairOf(0, 'Uno <x id="2"/> & %s <g id="1">dos</g>');
  const tmx = writeTmx([{ ...pair, time: new Date('2026-11-29T06:40:00Z') }], { source: 'en', target: 'es' });
  expect(tmx).toContain('creationdate="20261129T064000Z"');
  expect(tmx).toContain('Uno <ph x="2">&lt;x id=&quot;2&quot;/&gt;</ph> &amp; %s <bpt i="1" x="1">');
  async function* chunks() {
    yield new TextEncoder().encode(tmx);
  }
  const { value } = await readTmx(chunks(), 'a.tmx', {}).next();
  const [read] = value as { source: string; target: string }[];
  expect(read?.source.replace(/[\ue000-\uf7ff]/g, '*')).toBe('One *two* %s & *');
  expect(read?.target.replace(/[\ue000-\uf7ff]/g, '*')).toBe('Uno * & %s *dos*');
  if (existsSync('/usr/bin/xmllint'))
    execFileSync('xmllint', ['--noout', '--nonet', '-'], { input: tmx.replace(/<!DOCTYPE.*\n/, '') });
});
