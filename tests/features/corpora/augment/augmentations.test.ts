// Augmentations: what each does to a pair, and that rates and random numbers decide which pairs change.
import { expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import {
  type AugmentationName,
  augmentRates,
  augmentSymbols,
  describeRates,
} from '../../../../src/features/corpora/augment/augment-rates.ts';
import { createAugmenter } from '../../../../src/features/corpora/augment/augmentations.ts';

const pair = { source: 'the red tree, is tall.', target: 'el árbol rojo, es alto.' };
const align = () => [0, 2, 1, 3, 4]; // el-the árbol-tree, rojo-red es-is alto-tall
const changed = (name: AugmentationName, seed = 1, given = pair) =>
  createAugmenter({ [name]: 1 }, align)?.(() => given, random(seed));

it('changes both sides alike', () => {
  expect(changed('upperCase')).toEqual({
    source: 'THE RED TREE, IS TALL.',
    target: 'EL ÁRBOL ROJO, ES ALTO.',
  });
  expect(changed('titleCase')).toEqual({
    source: 'The Red Tree, Is Tall.',
    target: 'El Árbol Rojo, Es Alto.',
  });
  expect(changed('noEndPunctuation')).toEqual({
    source: 'the red tree, is tall',
    target: 'el árbol rojo, es alto',
  });
  expect(changed('noEndPunctuation', 1, { source: 'tall.', target: 'alto' })).toBeUndefined();
  const noise = changed('noise');
  expect(noise?.source).toBe(noise?.target);
});

it('inserts noise at words that translate each other', () => {
  const places = new Set<string>();
  for (let seed = 0; seed < 40; seed++) {
    const { source = '', target = '' } = changed('inlineNoise', seed) ?? {};
    const own = (text: string, before: string) =>
      text.split(' ').findIndex((word, i) => word !== before.split(' ')[i]);
    places.add(`${own(source, pair.source)}-${own(target, pair.target)}`);
  }
  expect([...places].sort()).toEqual(['0-0', '1-2', '2-1', '3-3', '4-4']);
});

it('marks terms, without punctuation', () => {
  const texts = new Set(Array.from({ length: 40 }, (_, seed) => changed('terms', seed)?.source));
  expect(texts).toContain('the red __source__ tree __target__ árbol __done__ , is tall.');
  expect(texts).toContain('the red tree, is __source__ tall __target__ alto __done__ .');
  expect(changed('terms')?.target).toBe(pair.target);
});

it('makes typos in the source only', () => {
  for (let seed = 0; seed < 30; seed++) expect(changed('typos', seed)?.target).toBe(pair.target);
  expect(
    new Set(Array.from({ length: 30 }, (_, seed) => changed('typos', seed)?.source)).size,
  ).toBeGreaterThan(20);
});

it('changes the share of pairs that the rate says, the same for the same numbers', () => {
  const augment = createAugmenter({ upperCase: 0.2, titleCase: 0.1 }, undefined);
  const all = Array.from({ length: 2000 }, (_, row) => augment?.(() => pair, random(7, row)));
  const share = all.filter((changed) => changed?.source === pair.source.toUpperCase()).length / all.length;
  expect(share).toBeGreaterThan(0.15);
  expect(share).toBeLessThan(0.22);
  expect(Array.from({ length: 2000 }, (_, row) => augment?.(() => pair, random(7, row)))).toEqual(all);
  expect(createAugmenter({}, undefined)).toBeUndefined();
});

it('reads rates', () => {
  const web = augmentRates(['web']);
  expect(web).toMatchObject({
    upperCase: 0.07,
    titleCase: 0.05,
    noEndPunctuation: 0.2,
    typos: 0.05,
    noise: 0.0005,
  });
  expect(web.terms).toBeUndefined();
  expect(augmentRates(['web', 'typos=0.3', 'upper-case=0', 'terms'])).toMatchObject({
    typos: 0.3,
    upperCase: 0,
    terms: 0.1,
  });
  expect(augmentSymbols(augmentRates(['terms']))).toEqual(['__source__', '__target__', '__done__']);
  expect(describeRates({ typos: 0.05, noise: 0.0005 })).toBe('noise 0.05 %, typos 5 %');
});
