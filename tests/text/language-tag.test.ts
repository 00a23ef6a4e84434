// Language tags: their usual spelling, and what is none.
import { expect, it } from 'vitest';
import { languageTag } from '../../src/text/language-tag.ts';

it('gives tags their usual spelling', () => {
  expect(['en', 'es_mx', 'ZH-hant-tw', 'spa_Latn'].map(languageTag)).toEqual([
    'en',
    'es-MX',
    'zh-Hant-TW',
    'es-Latn',
  ]);
});

it('takes nothing else', () => {
  for (const code of ['', 'x', 'xx-invalid-!!', 'english language'])
    expect(languageTag(code)).toBeUndefined();
});
