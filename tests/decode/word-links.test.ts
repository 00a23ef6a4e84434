// Word links as text.
import { expect, it } from 'vitest';
import { formatLinks } from '../../src/decode/word-links.ts';

it('writes links as a line', () => {
  expect(
    formatLinks([
      [0, 0],
      [1, 2],
    ]),
  ).toBe('0-0 1-2');
  expect(formatLinks([])).toBe('');
});
