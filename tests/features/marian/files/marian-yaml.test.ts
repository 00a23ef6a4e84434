// The part of YAML that Marian's files have.

import { expect, it } from 'vitest';
import { parseYaml } from '../../../../src/features/marian/files/marian-yaml.ts';
import { errorAbout } from '../../../support/expect-error.ts';

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
  ['- 1', { area: 'f.yml' }],
  ['a: 1\na: 2', { area: 'f.yml', values: [2] }],
  ['a: 1\n  b: 2', { area: 'f.yml', values: [2] }],
  ['a: {b: 1}', { area: 'f.yml', values: ['a'] }],
  ['a: [[1]]', { area: 'f.yml', values: ['a'] }],
  ['nothing', { area: 'f.yml' }],
  ['a: &x [1]\nb: [*x, *x]', { area: 'f.yml', values: ['b'] }],
  ['['.repeat(100_000), { area: 'f.yml', values: [1] }],
])('names the file and the place of %s', (text, expected) => {
  expect(() => parseYaml(text, 'f.yml')).toThrow(errorAbout(expected));
});
