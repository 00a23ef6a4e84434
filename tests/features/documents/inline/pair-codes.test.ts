// Pairs with placeholders in place of their codes.
import { expect, it } from 'vitest';
import { pairWithPlaceholders } from '../../../../src/features/documents/inline/pair-codes.ts';

const shown = (source: string, target: string) => {
  const pair = pairWithPlaceholders({ source, target });
  const text = (some: string) =>
    some.replace(/[\ue000-\uf7ff]/g, (c) => {
      const at = c.charCodeAt(0) - 0xe000;
      return `${'*<>'[at >> 11]}${at & 0x7ff}`;
    });
  return pair && `${text(pair.source)} | ${text(pair.target)}`;
};

it('numbers codes in the order of the source, the same on both sides', () => {
  expect(shown('copy %s to %d', 'copia de %d a %s')).toBe('copy *0 to *1 | copia de *1 a *0');
  expect(shown('a <b>b</b> {x}', '{x}: <b>b</b>')).toBe('a <0b>0 *1 | *1: <0b>0');
  expect(shown('a \ue005 %s', '%s \ue005')).toBe('a *0 *1 | *1 *0');
  expect(shown('%s and %s', '%s y %s')).toBe('*0 and *1 | *0 y *1');
});

it('drops pairs whose codes differ', () => {
  expect(shown('copy %s', 'copia')).toBeUndefined();
  expect(shown('copy', 'copia %s')).toBeUndefined();
  expect(shown('copy %s', 'copia %d')).toBeUndefined();
});
