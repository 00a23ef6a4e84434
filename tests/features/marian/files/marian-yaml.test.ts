// The part of YAML that Marian's files have.

import { expect, it } from 'vitest';
import { parseYaml } from '../../../../src/features/marian/files/marian-yaml.ts';

it('reads scalars and lists', () => {
  const text =
    'a: 1\nb: "x: y"\nc: true\nd:\n  - 1\n  - two\ne:\n  []\nf: []\ng: [1, 2]\nh: ""\n# z\ni:\n- 3\nj: 1e-3\n';
  expect({ ...parseYaml(text, 'f') }).toEqual({
    a: 1,
    b: 'x: y',
    c: true,
    d: [1, 'two'],
    e: [],
    f: [],
    g: [1, 2],
    h: '',
    i: [3],
    j: 1e-3,
  });
});

it.each([
  ['- 1', 'line 1: a list without a key'],
  ['a: 1\na: 2', 'line 2: the key is there twice'],
  ['a: 1\n  b: 2', 'line 2: only lists may be indented'],
  ['a: {b: 1}', 'line 1: not a value'],
  ['nothing', 'line 1: not a key and its value'],
])('names the line of %s', (text, message) => {
  expect(() => parseYaml(text, 'f.yml')).toThrow(`f.yml: ${message}`);
});
