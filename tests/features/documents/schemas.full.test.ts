// TMX and XLIFF that heddle writes, against their schemas and in translate-toolkit. The schemas are in the folder that
// HEDDLE_SCHEMAS names: tmx14.dtd, xliff-core-1.2-strict.xsd or -transitional.xsd, xliff_core_2.0.xsd (and 2.2),
// xml.xsd. Debian's packages have them:
//   apt-get download omegat php-symfony-translation
//   for deb in *.deb; do dpkg-deb -x $deb .; done
//   cp usr/share/php/Symfony/Component/Translation/Resources/schemas/* .
//   unzip -j usr/share/omegat/OmegaT.jar schemas/tmx14.dtd
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDocument } from '../../../src/features/documents/document-formats.ts';
import { DocumentReview } from '../../../src/features/documents/document-review.ts';
import { translateDocument } from '../../../src/features/documents/translate-document.ts';
import { writeTmx } from '../../../src/features/documents/write-tmx.ts';
import { fakeModel } from '../../support/fake-sentence-model.ts';

const schemas = process.env.HEDDLE_SCHEMAS ?? join(import.meta.dirname, '../../../shared/schemas');
const schemaOf = (...names: string[]) => names.map((n) => join(schemas, n)).find((path) => existsSync(path));
const dtd = schemaOf('tmx14.dtd');
const versions = {
  '1.2': schemaOf('xliff-core-1.2-strict.xsd', 'xliff-core-1.2-transitional.xsd'),
  '2.0': schemaOf('xliff_core_2.0.xsd', 'xliff-core-2.0.xsd'),
  // Version 2.1 has the core and the namespace of 2.0.
  '2.1': schemaOf('xliff_core_2.1.xsd', 'xliff_core_2.0.xsd', 'xliff-core-2.0.xsd'),
  '2.2': schemaOf('xliff_core_2.2.xsd'),
};
const hasXmllint = existsSync('/usr/bin/xmllint');
const catalog = '/usr/share/locale/de/LC_MESSAGES/libc.mo';
const hasToolkit = ['/usr/bin/po2xliff', '/usr/bin/msgunfmt', catalog].every((path) => existsSync(path));

const folder = mkdtempSync(join(tmpdir(), 'heddle-schemas-'));
beforeAll(() => {
  // Schemas import that of xml:lang from the web, or from another folder.
  for (const name of existsSync(schemas) ? readdirSync(schemas) : []) {
    const text = readFileSync(join(schemas, name), 'utf8');
    writeFileSync(
      join(folder, name),
      text.replace(/schemaLocation="[^"]*\/xml\.xsd"/g, 'schemaLocation="xml.xsd"'),
    );
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Throws what xmllint says if a text is not valid. */
function validate(text: string, ...options: string[]): void {
  const path = join(folder, 'file.xml');
  writeFileSync(path, text);
  execFileSync('xmllint', ['--noout', '--nonet', ...options, path], { stdio: ['ignore', 'pipe', 'pipe'] });
}
const bySchema = (schema: string) => ['--schema', join(folder, schema.split('/').at(-1) ?? '')];

async function translated(text: string, name: string): Promise<string> {
  const document = await openDocument(new TextEncoder().encode(text), name, { targetLang: 'es' });
  let out = '';
  const model = fakeModel((source) => source.toUpperCase());
  for await (const part of translateDocument(model, document, { targetLang: 'es' })) out += part.text;
  return out;
}

const inline12 =
  'Press <g id="1"><x id="2"/> <ph id="3">{0}</ph></g>, <bx id="4" rid="4"/>then<ex id="5" rid="4"/> ' +
  '<bpt id="6" rid="6">&lt;b&gt;</bpt>wait<ept id="7" rid="6">&lt;/b&gt;</ept> &amp; <it id="8" pos="open">&lt;i&gt;</it>go ' +
  '<mrk mtype="term">now</mrk>. %s is &lt;done&gt;.';
const xliff12 = `<?xml version="1.0" encoding="UTF-8"?>
<xliff xmlns="urn:oasis:names:tc:xliff:document:1.2" version="1.2">
  <file original="a.html" source-language="en" datatype="html">
    <header><note>Do not translate this.</note></header>
    <body>
      <trans-unit id="1"><source>${inline12}</source><note>First.</note></trans-unit>
      <group id="g"><trans-unit id="2" approved="yes"><source>Kept</source><target state="final">Quedado</target></trans-unit>
        <trans-unit id="3"><source>New one</source><target state="new">New one</target>
          <alt-trans match-quality="80%"><source>Old one</source><target>Uno viejo</target></alt-trans></trans-unit>
        <trans-unit id="4" translate="no"><source>SKU-1</source></trans-unit></group>
      <trans-unit id="5"><source>One. Two.</source><seg-source><mrk mtype="seg" mid="a">One.</mrk> <mrk mtype="seg" mid="b">Two.</mrk></seg-source></trans-unit>
      <trans-unit id="6"><source>Empty <g id="1"/> pair</source><target/></trans-unit>
    </body>
  </file>
</xliff>
`;
const xliff2 = (version: string) => `<?xml version="1.0" encoding="UTF-8"?>
<xliff xmlns="urn:oasis:names:tc:xliff:document:${version === '2.1' ? '2.0' : version}" version="${version}" srcLang="en">
  <file id="f">
    <notes><note id="n">Not this.</note></notes>
    <unit id="1">
      <originalData><data id="d1">&lt;br/&gt;</data></originalData>
      <segment><source>Press <pc id="1">the <ph id="2" dataRef="d1"/> key</pc>, <sc id="3"/>then<ec id="4" startRef="3"/> <mrk id="m1" type="term">wait</mrk> <cp hex="001A"/>.</source></segment>
      <ignorable><source> </source></ignorable>
      <segment id="s2" state="initial"><source>Second.</source><target>Second.</target></segment>
      <segment id="s3" state="final"><source>Kept</source><target>Quedado</target></segment>
    </unit>
    <group id="g"><unit id="2" translate="no"><segment><source>SKU-1</source></segment></unit>
      <unit id="3"><segment><source>%d <sm id="m2" type="comment" value="x"/>files<em startRef="m2"/></source></segment></unit></group>
  </file>
</xliff>
`;

describe.skipIf(!hasXmllint || !dtd)('TMX (needs xmllint and HEDDLE_SCHEMAS)', () => {
  it('is valid by tmx14.dtd', async () => {
    const document = await openDocument(new TextEncoder().encode(xliff12), 'a.xliff', { targetLang: 'es' });
    const review = new DocumentReview(document);
    const pairs = review.segments.map(({ shown }, i) => ({
      ...review.pairOf(i, shown),
      time: new Date('2026-11-29T06:40:00Z'),
    }));
    const tmx = writeTmx([...pairs, { source: 'a & <b>', target: '\u0001"]]>' }], {
      source: 'en',
      target: 'es-MX',
    });
    validate(tmx.replace(/<!DOCTYPE[^>]*>/, ''), '--dtdvalid', join(folder, 'tmx14.dtd'));
    expect(() => validate('<tmx version="1.4"/>', '--dtdvalid', join(folder, 'tmx14.dtd'))).toThrow();
  });
});

for (const [version, schema] of Object.entries(versions))
  describe.skipIf(!hasXmllint || !schema)(`XLIFF ${version} (needs xmllint and HEDDLE_SCHEMAS)`, () => {
    const text = version === '1.2' ? xliff12 : xliff2(version);
    it('stays valid by its schema when it is translated', async () => {
      validate(text, ...bySchema(schema ?? ''));
      const out = await translated(text, 'a.xliff');
      validate(out, ...bySchema(schema ?? ''));
      expect(out).toContain('PRESS');
      expect(out).toContain('Quedado');
      expect(out).not.toMatch(/[\ue000-\uf8ff]/);
      // All else is there as it was.
      const rest = (xml: string) =>
        xml
          .replace(/\s*<target\b[^>]*>.*?<\/target>|<target\/>/gs, '')
          .replace(/ (?:target-language|trgLang|state|subState)="[^"]*"/g, '');
      expect(rest(out)).toBe(rest(text));
    });
  });

describe.skipIf(!hasToolkit)('translate-toolkit (needs po2xliff, xliff2po, po2tmx and msgunfmt)', () => {
  it('reads the XLIFF and the TMX that heddle writes of a real catalog', async () => {
    const po = execFileSync('msgunfmt', [catalog], { maxBuffer: 2 ** 26 }).toString();
    // Every other message has no translation.
    let n = 0;
    const open = po.replace(/(?<=\n\n)(msgid (?:"[^\n]*"\n)+)msgstr (?:"[^\n]*"\n?)+/g, (all, id) =>
      n++ % 2 ? all : `${id}msgstr ""\n`,
    );
    writeFileSync(join(folder, 'a.po'), open);
    execFileSync('po2xliff', ['--progress=none', join(folder, 'a.po'), join(folder, 'a.xlf')]);
    const out = await translated(readFileSync(join(folder, 'a.xlf'), 'utf8'), 'a.xlf');
    writeFileSync(join(folder, 'b.xlf'), out);
    execFileSync('xliff2po', ['--progress=none', join(folder, 'b.xlf'), join(folder, 'b.po')]);
    execFileSync('msgfmt', ['--check-format', '-o', '/dev/null', join(folder, 'b.po')]);
    const statistics = (name: string) =>
      execFileSync('sh', [
        '-c',
        `LC_ALL=C msgattrib --untranslated '${join(folder, name)}' | grep -c '^msgid'`,
      ]).toString();
    expect(Number(statistics('a.po'))).toBeGreaterThan(500);
    const tmx = writeTmx([{ source: 'one & two', target: 'uno y dos' }], { source: 'en', target: 'es' });
    writeFileSync(join(folder, 'm.tmx'), tmx);
    // In Python, since the programs of translate-toolkit skip what they cannot read.
    const script = `from translate.storage import tmx, xliff; t=tmx.tmxfile.parsefile(${JSON.stringify(join(folder, 'm.tmx'))}); print([(u.source,u.target) for u in t.units]); x=xliff.xlifffile.parsefile(${JSON.stringify(join(folder, 'b.xlf'))}); print(sum(1 for u in x.units if u.source and not u.target))`;
    const [pairs, untranslated] = execFileSync('/usr/bin/python3', ['-c', script])
      .toString()
      .trim()
      .split('\n');
    expect(pairs).toBe("[('one & two', 'uno y dos')]");
    expect(Number(untranslated)).toBeLessThan(20);
  });
});
