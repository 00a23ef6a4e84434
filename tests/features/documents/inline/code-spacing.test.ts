// Spaces around codes, and pairs of codes around nothing.
import { expect, it } from 'vitest';
import { withSpacing } from '../../../../src/features/documents/inline/code-spacing.ts';
import type { InlineText } from '../../../../src/features/documents/inline/inline-text.ts';
import { placeholderOf } from '../../../../src/text/placeholders.ts';

const [open, close] = [placeholderOf('open', 0), placeholderOf('close', 0)];
const codes = new Map([
  [open, '<em>'],
  [close, '</em>'],
]);
const inline = (text: string) => ({ text, codes }) as unknown as InlineText;

it('keeps a pair around nothing around nothing', () => {
  expect(withSpacing(inline(`Yes ${open}${close} no`), `Sí ${open}no${close}`)).toBe(`Sí ${open}${close} no`);
});

it('keeps the words of a pair in it', () => {
  expect(withSpacing(inline(`Yes ${open}no${close}`), `Sí ${open}no${close}`)).toBe(`Sí ${open}no${close}`);
});
