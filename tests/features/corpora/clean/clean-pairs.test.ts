// Pairs of a program are cleaned by the rules of `heddle clean`.
import { expect, it } from 'vitest';
import { cleanPairs } from '../../../../src/features/corpora/clean/clean-pairs.ts';

const good = { source: 'The house is large.', target: 'La casa es grande.' };

it('keeps good pairs in order, and says which rule drops each of the others', () => {
  const other = { source: ' It rains. ', target: 'Llueve mucho.' };
  const { kept, dropped } = cleanPairs([good, { source: '', target: 'nada' }, good, other]);
  expect(kept).toEqual([good, { source: 'It rains.', target: 'Llueve mucho.' }]);
  expect(dropped.map(({ rule, target }) => [rule, target])).toEqual([
    ['empty', 'nada'],
    ['duplicate-pair', good.target],
  ]);
});

it('turns a rule off by a threshold of 0, and tests scripts of given languages', () => {
  const twice = [good, good];
  const limits = { 'duplicate-pair': 0, 'near-duplicate-pair': 0, 'duplicate-target': 0 };
  expect(cleanPairs(twice, { limits }).kept).toEqual(twice);
  const cyrillic = { source: 'The house is large.', target: 'Дом большой и красивый.' };
  expect(cleanPairs([cyrillic], { languages: { source: 'en', target: 'es' } }).dropped).toEqual([
    { ...cyrillic, rule: 'script' },
  ]);
});
