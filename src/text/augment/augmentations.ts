// Augmentation: changes of pairs that make a model robust to the texts of web pages, after OpusTrainer (Bogoychev et
// al., 2023). Each is a function from a pair to a pair; augment-rates.ts has their names and rates.

import { check } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { wordsOf } from '../align/lexicon.ts';
import type { Pair } from '../corpus/pairs.ts';
import { placeholderOf } from '../inline/placeholders.ts';
import {
  type AugmentationName,
  type AugmentRates,
  augmentationRows,
  needsAlignments,
  placeholderCount,
} from './augment-rates.ts';
import { emoji, noiseWord } from './noise.ts';
import { markTerm } from './term-marks.ts';
import { withTypos } from './typos.ts';

/** The source word of each target word; -1: none. */
export type AlignWords = (source: readonly string[], target: readonly string[]) => readonly number[];

/** The changed pair; undefined if it cannot be changed. */
type Apply = (pair: Pair, random: Random, align: AlignWords) => Pair | undefined;

/** What the augmentations do. */
const changes: Readonly<Record<AugmentationName, Apply>> = {
  noise(_, random) {
    const text = Array.from({ length: 2 + random.int(5) }, () => noiseWord(random)).join(' ');
    return { source: text, target: text };
  },
  terms: withTerm,
  inlineNoise(pair, random, align) {
    const text = random.uniform() < 0.5 ? emoji(random) : noiseWord(random);
    return atLink(pair, random, align, (word) => `${text} ${word}`);
  },
  placeholders(pair, random, align) {
    const number = random.int(placeholderCount);
    const [single, open, close] = (['single', 'open', 'close'] as const).map((kind) =>
      placeholderOf(kind, number),
    );
    const isSpan = random.uniform() < 0.5;
    return atLink(pair, random, align, (word) => (isSpan ? `${open}${word}${close}` : `${single}${word}`));
  },
  upperCase: ({ source, target }) => ({ source: source.toUpperCase(), target: target.toUpperCase() }),
  titleCase: ({ source, target }) => ({ source: titleCase(source), target: titleCase(target) }),
  noEndPunctuation({ source, target }) {
    const [s, t] = [source, target].map((text) => text.replace(endPunctuation, '')) as [string, string];
    // Only if both sides have some, and more than that.
    return s !== '' && t !== '' && s !== source && t !== target ? { source: s, target: t } : undefined;
  },
  typos: ({ source, target }, random) => ({ source: withTypos(source, random), target }),
};

const endPunctuation = /[\s]*[.!?…。！？।]+$/u;

const titleCase = (text: string): string =>
  text.replace(
    /(^|[\s([{"'«“¿¡-])(\p{Ll})/gu,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );

/** Changes a source word and the target word that translates it. */
function atLink(
  { source, target }: Pair,
  random: Random,
  align: AlignWords,
  change: (word: string) => string,
): Pair | undefined {
  const [s, t] = [wordsOf(source), wordsOf(target)];
  const links = [...align(s, t).entries()].filter(([, i]) => i >= 0);
  if (links.length === 0) return undefined;
  const [j, i] = random.pick(links);
  s[i] = change(s[i] as string);
  t[j] = change(t[j] as string);
  return { source: s.join(' '), target: t.join(' ') };
}

/** A word without the punctuation around it: what is before it, the word, what is after it. */
function parts(word: string): readonly [string, string, string] {
  const [, before = '', inner = '', after = ''] = /^([^\p{L}\p{N}]*)(.*?)([^\p{L}\p{N}]*)$/u.exec(word) ?? [];
  return [before, inner, after];
}

function withTerm({ source, target }: Pair, random: Random, align: AlignWords): Pair | undefined {
  const [s, t] = [wordsOf(source), wordsOf(target)];
  const links = align(s, t);
  // Words of a single link in both directions are safe to name.
  const single = [...links.entries()].filter(
    ([j, i]) =>
      i >= 0 &&
      links.filter((other) => other === i).length === 1 &&
      parts(t[j] as string)[1] !== '' &&
      parts(s[i] as string)[1] !== '',
  );
  if (single.length === 0) return undefined;
  const [j, i] = random.pick(single);
  const [before, inner, after] = parts(s[i] as string);
  s[i] = `${before}${before && ' '}${markTerm(inner, parts(t[j] as string)[1])}${after && ' '}${after}`;
  return { source: s.join(' '), target };
}

/** Augments a pair with its stream of random numbers; undefined if it stays as it is. */
export type Augmenter = (pair: () => Pair, random: Random) => Pair | undefined;

/** Creates an augmenter; undefined if all rates are 0. `align` is needed by some. */
export function createAugmenter(rates: AugmentRates, align: AlignWords | undefined): Augmenter | undefined {
  const names = Object.keys(augmentationRows) as AugmentationName[];
  const used = names.filter((name) => (rates[name] ?? 0) > 0);
  if (used.length === 0) return undefined;
  check(align || !needsAlignments(rates), 'augment: word alignments are missing');
  return (pair, random) => {
    // All draws come first, so that a pair that stays as it is costs little.
    const chosen = used.filter((name) => random.uniform() < (rates[name] ?? 0));
    if (chosen.length === 0) return undefined;
    const own = pair();
    let changed = own;
    for (const name of chosen) changed = changes[name](changed, random, align ?? (() => [])) ?? changed;
    return changed === own ? undefined : changed;
  };
}
