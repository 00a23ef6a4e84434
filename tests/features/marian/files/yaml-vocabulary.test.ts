// Vocabularies of Marian as YAML and JSON.

import { expect, it } from 'vitest';
import {
  isYamlVocabulary,
  parseYamlVocabulary,
} from '../../../../src/features/marian/files/yaml-vocabulary.ts';

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
  ['a: 1\na: 2', 'line 2: the token is there twice'],
  ['a: b', 'line 1: not a token and its id'],
  ['"\\q": 1', 'line 1: a token with an invalid escape'],
  ['"\\Uffffffff": 1', 'line 1: a token with an invalid escape'],
])('names the line of %s', (text, message) => expect(() => parse(text)).toThrow(`v.yml: ${message}`));

it('is recognized by its name', () =>
  expect(['opus.vocab.yml', 'v.yaml.gz', 'v.json', 'v.spm'].map(isYamlVocabulary)).toEqual([
    ...[true, true, true, false],
  ]));
