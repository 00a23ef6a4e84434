// Differences of two texts, word by word.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type TextSegment, wordDifferences } from '../../../src/text/metrics/word-differences.ts';

const marked = (segments: readonly TextSegment[]) =>
  segments.map((s) => (s.same ? s.text : `[${s.text}]`)).join('');

it.each([
  ['el 5 de mayo', 'el 5 de marzo', 'el 5 de [mayo]', 'el 5 de [marzo]'],
  ['El coche, rojo.', 'el coche rojo', 'El coche[, ]rojo[.]', 'el coche rojo'],
  ['a b c', 'a c b', 'a [b ]c', 'a c [b]'],
  ['igual', 'igual', 'igual', 'igual'],
  ['algo', '', '[algo]', ''],
  ['', '', '', ''],
])('marks the words that differ between %j and %j', (a, b, left, right) => {
  const found = wordDifferences(a, b);
  expect([marked(found.a), marked(found.b)]).toEqual([left, right]);
});

it('loses no letter, and marks equally many letters as the same', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'B', 'é', ' ', '.', '5', '日', '\u{1f600}'),
    maxLength: 20,
  });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const found = wordDifferences(a, b);
      const same = (list: readonly TextSegment[]) =>
        list
          .filter((s) => s.same)
          .map((s) => s.text)
          .join('')
          .replace(/\s/g, '');
      expect([found.a, found.b].map((list) => list.map((s) => s.text).join(''))).toEqual([a, b]);
      expect(same(found.a).toLowerCase()).toBe(same(found.b).toLowerCase());
    }),
  );
});

it('does not compare texts of very many words', () => {
  const long = 'a '.repeat(300);
  expect(wordDifferences(long, 'a').a).toEqual([{ text: long, same: false }]);
});
