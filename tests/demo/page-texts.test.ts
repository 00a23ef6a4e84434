// The texts of the pages in other languages: each file has all texts, and no text loses a value or a tag.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { markupTexts, translateMarkup, translateTemplate } from '../../demo/common/markup-texts.ts';
import { libraryMessages, shownMessages, sourceTexts, textsOfCode } from '../support/source-texts.ts';

const folder = join(import.meta.dirname, '../../demo/texts');
const files = readdirSync(folder);
type Text = string | Readonly<Record<string, string>>;

/** The values and the tags of a text, sorted: their order may differ. */
const partsOf = (text: string): string[] => (text.match(/\{\d+\}|<[^>]+>/g) ?? []).sort();

it.each(files)('%s has each text of the pages, with its values and tags, and no other', (name) => {
  const texts: Record<string, Text> = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const [sources, messages] = [sourceTexts(), libraryMessages()];
  const missing = [...sources, ...shownMessages()].filter(([key]) => !Object.hasOwn(texts, key));
  expect(
    missing.map(([key, path]) => `${path}: ${key}`),
    'texts without a translation',
  ).toEqual([]);
  expect(
    Object.keys(texts).filter((key) => !sources.has(key) && !messages.has(key)),
    'texts that neither a page nor the library has',
  ).toEqual([]);
  const { pluralCategories } = new Intl.PluralRules(name.replace('.json', '')).resolvedOptions();
  const wrong = Object.entries(texts).flatMap(([key, text]) => {
    const forms = typeof text === 'string' ? [text] : Object.values(text);
    const isWhole = typeof text === 'string' || ('other' in text && isOfPlurals(text, pluralCategories));
    const parts = partsOf(key).join();
    return isWhole && forms.every((form) => form.trim() !== '' && partsOf(form).join() === parts)
      ? []
      : [key];
  });
  expect(wrong, 'texts with other values or tags than in English').toEqual([]);
});

it('names no class of an element by a text, which is another in each language', () => {
  const demo = join(folder, '..');
  const paths = readdirSync(demo, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  const wrong = /\bclass=(?:"[^">]*)?\$\{[^}]*\bsay`/;
  expect(paths.filter((path) => wrong.test(readFileSync(join(demo, path), 'utf8')))).toEqual([]);
});

const isOfPlurals = (text: Readonly<Record<string, string>>, categories: readonly string[]): boolean =>
  Object.keys(text).every((category) => categories.includes(category));

it('takes a sentence with its tags as one text, and a text of its own from each block', () => {
  const keys = (markup: string) => markupTexts(markup).map(({ key }) => key);
  expect(keys('<p>Press <b class="a">Start</b> twice.</p><p title="A tip">\n  Two\n  words</p>')).toEqual([
    'Press <b>Start</b> twice.',
    'A tip',
    'Two words',
  ]);
  expect(keys('<span>One</span> <span>Two</span><code>x = 1</code>')).toEqual(['One', 'Two']);
  expect(keys('<label><input /> Mask</label><b>Open <p>block</p></b>')).toEqual(['Mask', 'Open', 'block']);
});

it('moves the expressions of a template, in texts, tags and attributes', () => {
  const texts: Record<string, string> = {
    '{0} of <b>{1}</b> read': '<b>{1}</b>: {0} leídos',
    'Delete {0}': 'Borrar "{0}"',
  };
  const strings = ['<p class=', '>', ' of <b id=', '>', '</b> read</p><i title="Delete ', '"></i>'];
  const { strings: translated, order } = translateTemplate(strings, (key) => texts[key]);
  expect([...translated]).toEqual([
    '<p class=',
    '><b id=',
    '>',
    '</b>: ',
    ' leídos</p><i title="Borrar &quot;',
    '&quot;"></i>',
  ]);
  expect(translated.raw).toEqual([...translated]);
  expect(order).toEqual([0, 2, 3, 1, 4]);
});

it('keeps a text that it does not know, and the spaces around a text', () => {
  expect(
    translateMarkup('<p> Hello <b>you</b> </p>Other', (key) => (key === 'Other' ? 'Otro' : undefined)),
  ).toBe('<p> Hello <b>you</b> </p>Otro');
  expect(translateMarkup('<p> One </p>', () => 'Uno')).toBe('<p> Uno </p>');
});

it('finds the texts of templates, say, sayCount, english and msg', () => {
  const value = (name: string) => `\${${name}}`;
  const code = [
    `const a = html\`<p title=${value('b')}>One ${value('c')}</p>\`;`,
    `say\`Two ${value('d')}\\n\`;`,
    "sayCount(n, '{0} cat', '{0} cats'); english`Three`; msg`Four`;",
  ].join('\n');
  expect(textsOfCode(code).sort()).toEqual(['Four', 'One {0}', 'Three', 'Two {0}\n', '{0} cats']);
});
