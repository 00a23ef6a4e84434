// The part of YAML that Marian's files have.

import { expect, it } from 'vitest';
import { HeddleError } from '../../../../src/core/errors.ts';
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
  ['- 1', 'no keys'],
  ['a: 1\na: 2', 'line 2'],
  ['a: 1\n  b: 2', 'line 2'],
  ['a: {b: 1}', 'a is neither'],
  ['a: [[1]]', 'a is neither'],
  ['nothing', 'no keys'],
  ['a: &x [1]\nb: [*x, *x]', 'b is neither'],
  ['['.repeat(100_000), 'f.yml'],
])('names the file and the place of %s', (text, place) => {
  expect(() => parseYaml(text, 'f.yml')).toThrow(HeddleError);
  expect(() => parseYaml(text, 'f.yml')).toThrow(place);
});
