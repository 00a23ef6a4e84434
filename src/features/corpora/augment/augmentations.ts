// Augmentation: changes of pairs that make a model robust to the texts of web pages, after OpusTrainer
// (Bogoychev et al., 2023). Each is a function from a pair to a pair; augment-rates.ts has their names and
// rates.

import { check } from '../../../core/errors.ts';
import type { Random } from '../../../core/random.ts';
import type { Pair } from '../../../text/corpus/pairs.ts';
import { placeholderOf } from '../../../text/placeholders.ts';
import { markTerm } from '../../../text/term-marks.ts';
import { wordsOf } from '../../../text/tokenizers/token-words.ts';
import {
  type AugmentationName,
  type AugmentRates,
  augmentationRows,
  needsAlignments,
  placeholderCount,
} from './augment-rates.ts';
import { emoji, noiseWord } from './noise.ts';
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
  placeholders: withPlaceholders,
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

/** Maximum number of places with placeholders, and of words that a pair of them is around. */
const [maxPlaces, maxSpan] = [3, 4];

/**
 * Inserts placeholders at one to three places: a pair around words, one in place of a word (as `%s` stands
 * for a name), or one before a word.
 */
function withPlaceholders({ source, target }: Pair, random: Random, align: AlignWords): Pair | undefined {
  const [s, t] = [wordsOf(source), wordsOf(target)];
  const links = align(s, t);
  const numbers = random
    .shuffle(Array.from({ length: placeholderCount }, (_, i) => i))
    .slice(0, 1 + random.int(maxPlaces));
  // A word has one place, so that pairs stay nested.
  const free = { s: s.map(() => true), t: t.map(() => true) };
  let isChanged = false;
  for (const number of numbers) {
    const [single, open, close] = (['single', 'open', 'close'] as const).map((kind) =>
      placeholderOf(kind, number),
    ) as [string, string, string];
    const kind = random.uniform();
    const length = kind < 0.4 ? 1 + random.int(maxSpan) : 1;
    const found = linkedSpan(links, random, length);
    if (!found) continue;
    const { from, to } = found;
    const own = (list: readonly boolean[], [first, last]: Range) =>
      list.slice(first, last + 1).every(Boolean);
    if (!own(free.s, from) || !own(free.t, to)) continue;
    free.s.fill(false, from[0], from[1] + 1);
    free.t.fill(false, to[0], to[1] + 1);
    isChanged = true;
    for (const [words, [first, last]] of [
      [s, from],
      [t, to],
    ] as const) {
      if (kind < 0.4) {
        words[first] = `${open}${words[first]}`;
        words[last] += close;
      } else if (kind < 0.75) {
        const [before, , after] = parts(words[first] as string);
        words[first] = `${before}${single}${after}`;
      } else words[first] = `${single}${words[first]}`;
    }
  }
  return isChanged ? { source: s.join(' '), target: t.join(' ') } : undefined;
}

/** First and last word. */
type Range = readonly [first: number, last: number];

/**
 * Some words of the source, at most `length`, and the words of the target that are linked to these and to no
 * others.
 */
function linkedSpan(
  links: readonly number[],
  random: Random,
  length: number,
): { readonly from: Range; readonly to: Range } | undefined {
  const linked = [...links.keys()].filter((j) => (links[j] as number) >= 0);
  if (linked.length === 0) return undefined;
  const first = links[random.pick(linked)] as number;
  for (let last = first + length - 1; last >= first; last--) {
    const inside = linked.filter((j) => (links[j] as number) >= first && (links[j] as number) <= last);
    const ends = inside.map((j) => links[j] as number);
    const [start, end] = [inside[0] as number, inside.at(-1) as number];
    const isWhole = linked.every((j) => j < start || j > end || inside.includes(j));
    if (isWhole && ends.includes(last)) return { from: [first, last], to: [start, end] };
  }
  return undefined;
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
  check(align || !needsAlignments(rates), 'word alignments are missing', { area: 'augment' });
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
