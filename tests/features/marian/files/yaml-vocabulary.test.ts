// Vocabularies of Marian as YAML and JSON.

import { expect, it } from 'vitest';
import {
  isYamlVocabulary,
  parseYamlVocabulary,
} from '../../../../src/features/marian/files/yaml-vocabulary.ts';
import { errorAbout } from '../../../support/expect-error.ts';

const parse = (text: string) => ({ ...parseYamlVocabulary(new TextEncoder().encode(text), 'v.yml') });

it('reads tokens in quotation marks and without', () => {
  const lines = [
    '</s>: 0',
    '"<unk>": 1',
    '"\\"": 2',
    "'it''s': 3",
    '▁the: 4',
    '"\\\\\\xa0\\u2581": 5',
    '": ": 6',
  ];
  expect(parse(`---\n${lines.join('\r\n')}\n? "long"\n: 7\n`)).toEqual({
    '</s>': 0,
    '<unk>': 1,
    '"': 2,
    "it's": 3,
    '▁the': 4,
    '\\\xa0▁': 5,
    ': ': 6,
    long: 7,
  });
});

it('reads JSON', () => expect(parse('{"</s>": 0, "<unk>": 1}')).toEqual({ '</s>': 0, '<unk>': 1 }));

it.each([
  ['a: 1\na: 2', { area: 'v.yml', values: [2] }],
  ['a: b', { area: 'v.yml', values: ['a'] }],
  ['"\\q": 1', { area: 'v.yml', values: [1] }],
])('names the file and the place of %s', (text, expected) => {
  expect(() => parse(text)).toThrow(errorAbout(expected));
});

it('keeps the texts of tokens that YAML reads as other values, and reads many at once', () => {
  expect(parse('0x10: 2\n1.0: 3\n~: 4\ntrue: 5\n__proto__: 6\n')).toEqual(
    Object.fromEntries([...['0x10', '1.0', '~', 'true'].map((token, i) => [token, i + 2]), ['__proto__', 6]]),
  );
});

it('is recognized by its name', () =>
  expect(['opus.vocab.yml', 'v.yaml.gz', 'v.json', 'v.spm'].map(isYamlVocabulary)).toEqual([
    ...[true, true, true, false],
  ]));
