// Lines of word alignments.
import { expect, it } from 'vitest';
import { parseLinks } from '../../../../src/features/corpora/align/pharaoh.ts';
import { errorAbout } from '../../../support/expect-error.ts';

it('reads the links of a line', () => {
  expect(parseLinks('0-0 1-2  10-3 \r', 'f: line 1')).toEqual([
    [0, 0],
    [1, 2],
    [10, 3],
  ]);
  expect(parseLinks('', 'f: line 1')).toEqual([]);
});

it.each(['0', '0-', '-1', 'a-b', '0-1-2', '1.5-2', '0–1'])('rejects %s', (link) => {
  expect(() => parseLinks(`0-0 ${link}`, 'f: line 7')).toThrow(errorAbout({ area: 'f: line 7' }));
});
