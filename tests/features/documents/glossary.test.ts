// Glossaries: which terms a text has, and that translations are asked for them.
import { expect, it } from 'vitest';
import { isEnglishForm } from '../../../src/features/documents/english-forms.ts';
import { Glossary, isForm, readGlossary } from '../../../src/features/documents/glossary.ts';
import { anyCodes } from '../../../src/features/documents/inline/code-patterns.ts';
import { inlineText } from '../../../src/features/documents/inline/inline-text.ts';
import { withTermMarks } from '../../../src/features/documents/soft-terms.ts';
import { type SentenceModel, translateSegments } from '../../../src/features/documents/translate-segments.ts';
import type { Tokenizer } from '../../../src/text/tokenizers/tokenizer.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { fakeModel } from '../../support/fake-sentence-model.ts';

const csv =
  'source,target,note\nfile,fichero,noun\n"file system",sistema de ficheros\nuser,usuario\n日本,Japón\nrun,ejecutar\ncategory,categoría\n';

it('finds terms in inflected forms, the longest first, each as often as it occurs', async () => {
  const glossary = await readGlossary(csv, 'terms.csv');
  const find = (text: string) => glossary.find(text).map(({ target }) => target);
  expect(find('The Files of the file system')).toEqual(['fichero', 'sistema de ficheros']);
  expect(find('Two users, one user')).toEqual(['usuario', 'usuario']);
  expect(find('It runs, running')).toEqual(['ejecutar', 'ejecutar']);
  expect(find('Categories of profiles and usurpers')).toEqual(['categoría']);
  expect(find('日本語')).toEqual(['Japón']);
  expect(find('')).toEqual([]);
});

it('marks terms for a model whose vocabulary has the marks', async () => {
  const glossary = await readGlossary(csv, 'terms.csv');
  const text = '"Users" of files.';
  expect(withTermMarks(text, glossary.find(text))).toBe(
    '" __source__ Users __target__ usuario __done__ " of __source__ files __target__ fichero __done__ .',
  );
  const asked: (readonly string[])[] = [];
  const special = { unknown: 3 };
  const marks = ['__source__', '__target__', '__done__'];
  const tokenizer = {
    special,
    encode: (word: string) => [marks.includes(word) ? 4 + marks.indexOf(word) : 3],
    decode: ([id = 3]: readonly number[]) => marks[id - 4] ?? '?',
  } as unknown as Tokenizer;
  const model: SentenceModel = {
    tokenizers: { source: tokenizer, target: tokenizer },
    async generate(texts, options) {
      asked.push([...texts, ...(options?.phrases?.flat().map(String) ?? [])]);
      return texts.map(() => [{ text: 'Un usuario.', ids: [5], score: -1, logProb: -1, ended: true }]);
    },
  };
  const find = (sentence: string) => glossary.find(sentence);
  await translateSegments(model, [inlineText('One user.', anyCodes)], { termsOf: find });
  expect(asked).toEqual([['One __source__ user __target__ usuario __done__ .', 'usuario']]);
});

it('reads TSV, and refuses a file without terms', async () => {
  expect((await readGlossary('\ufeffa b\tc d\r\n\r\n', 't.tsv')).find('A b')).toHaveLength(1);
  await expect(readGlossary('source,target\n', 'terms.csv')).rejects.toThrow(
    errorAbout({ area: 'terms.csv' }),
  );
});

it('asks for the terms of each sentence', async () => {
  const glossary = await readGlossary(csv, 'terms.csv');
  const asked: unknown[] = [];
  const model = fakeModel((text) => text);
  const spy = {
    ...model,
    generate: async (texts: readonly string[], options?: { phrases?: unknown }) => {
      asked.push(options?.phrases);
      return model.generate(texts);
    },
  };
  const source = inlineText('One user. No term here. Two Users.', anyCodes);
  await translateSegments(spy, [source], { termsOf: (text) => glossary.find(text) });
  // Another form of the word may have another form of the term.
  const [one, two] = [
    { text: 'usuario', start: 4, end: 8 },
    { text: 'usuario', start: 4, end: 9, inflects: true },
  ];
  expect(asked).toEqual([[[one], [], [two]]]);
});

it('takes the forms of English words in English texts', () => {
  const forms = (list: string) =>
    list.split(' ').filter((pair) => isEnglishForm(...(pair.split('/') as [string, string])));
  const all =
    "cats/cat boxes/box houses/house cities/city running/run stopped/stop caring/care cared/care cars/car car's/car files/file " +
    'file/files knives/knife opened/open making/make tries/try tied/tie lying/lie women/woman heroes/hero settings/setting ' +
    'translated/translate translating/translates glasses/glass';
  expect(forms(all).join(' ')).toBe(all);
  expect(
    forms(
      'cares/car caring/car cared/car care/car stare/star stares/star planet/plane hoping/hop taped/tap ring/r bus/bu',
    ),
  ).toEqual([]);
  const terms = [{ source: 'car', target: 'coche' }];
  const found = (text: string, language?: string) => new Glossary(terms, language).find(text).length;
  expect(found('Nobody in the town cares about cars.')).toBe(1);
  expect(found('Nobody cares.', 'en')).toBe(0);
  expect(new Glossary([{ source: 'mar', target: 'sea' }], 'es').find('los mares').length).toBe(1);
});

it('takes inflected forms of a word, and no other words', () => {
  const forms = (list: string) =>
    list.split(' ').filter((pair) => isForm(...(pair.split('/') as [string, string])));
  const all =
    'cats/cat dogs/dog houses/house cities/city babies/baby running/run files/file file/files hablo/hablar';
  expect(forms(all).join(' ')).toBe(all);
  expect(
    forms('care/car cards/car cart/car catch/cat category/cat windy/window teach/teacher board/boar'),
  ).toEqual([]);
  expect(forms('собаки/собака книгу/книга')).toHaveLength(2);
});
