// Glossaries: which terms a text has, and that translations are asked for them.
import { expect, it } from 'vitest';
import { readGlossary } from '../../src/documents/glossary.ts';
import { translateSegments } from '../../src/documents/translate-segments.ts';
import { anyCodes } from '../../src/text/inline/code-patterns.ts';
import { inlineText } from '../../src/text/inline/inline-text.ts';
import { fakeModel } from '../support/fake-sentence-model.ts';

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

it('reads TSV, and refuses a file without terms', async () => {
  expect((await readGlossary('\ufeffa b\tc d\r\n\r\n', 't.tsv')).find('A b')).toHaveLength(1);
  await expect(readGlossary('source,target\n', 'terms.csv')).rejects.toThrow('terms.csv: there is no term');
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
  const source = inlineText('One user. No term here.', anyCodes);
  await translateSegments(spy, [source], { termsOf: (text) => glossary.find(text) });
  expect(asked).toEqual([[['usuario'], []]]);
});
