// Placeholders that augmentation inserts are codes of documents.
import { expect, it } from 'vitest';
import { random } from '../../../src/core/random.ts';
import { createAugmenter } from '../../../src/features/corpora/augment/augmentations.ts';
import { anyCodes } from '../../../src/features/documents/inline/code-patterns.ts';
import {
  inlineText,
  keepsCodes,
  placeholdersIn,
} from '../../../src/features/documents/inline/inline-text.ts';
import { type CodeKind, placeholderAt } from '../../../src/text/placeholders.ts';

const pair = { source: 'the red tree, is tall.', target: 'el árbol rojo, es alto.' };
const code = { raw: '', isText: false, isOrdered: false };
const kindOf = (c: string): CodeKind => placeholderAt(c)?.kind ?? 'single';
const align = () => [0, 2, 1, 3, 4]; // el-the árbol-tree, rojo-red es-is alto-tall
const changed = (seed: number) => createAugmenter({ placeholders: 1 }, align)?.(() => pair, random(seed));

it('inserts placeholders at words that translate each other, each once on both sides, pairs nested', () => {
  const texts = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const { source = '', target = '' } = changed(seed) ?? {};
    const inline = inlineText(source, anyCodes);
    const codes = placeholdersIn(source);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.length).toBeGreaterThan(0);
    const all = { ...inline, codes: new Map(codes.map((c) => [c, { ...code, kind: kindOf(c) }])) };
    expect(keepsCodes(all, target), `${source} | ${target}`).toBe(true);
    const shown = (text: string) =>
      text.replace(/[\ue000-\uf7ff]/g, (c) => ({ single: '*', open: '<', close: '>' })[kindOf(c)]);
    texts.add(`${shown(source)} | ${shown(target)}`);
  }
  // In place of a word, before a word, and around words, in whose translation the order is another.
  expect(texts).toContain('the red *, is tall. | el * rojo, es alto.');
  expect(texts).toContain('the *red tree, is tall. | el árbol *rojo, es alto.');
  expect(texts).toContain('the <red tree,> is tall. | el <árbol rojo,> es alto.');
  expect([...texts].some((text) => (text.match(/[*<]/g) ?? []).length === 6)).toBe(true);
});
