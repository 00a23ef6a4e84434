// TER, the translation edit rate (Snover et al., 2006, "A study of translation edit rate with targeted human
// annotation"): the fewest insertions, deletions, substitutions and shifts of words that make a translation equal to a
// reference, for each word of the reference. Finding the fewest is NP-hard; the search and its limits are those of
// tercom, as in sacreBLEU 2, so that scores are equal.

import { checkNames } from '../../core/fields.ts';
import {
  countReferences,
  givenReferences,
  type References,
  type SentenceStatistics,
  splitWords,
  sumsOf,
  trimEnd,
} from './ngrams.ts';
import { alignment, EditDistance } from './ter-distance.ts';
import { type TerOptions, tokenized } from './ter-tokens.ts';

/** A TER score and its parts. */
export interface TerScore {
  /** Edits for 100 words of the references: 0 is best, above 100 is possible. */
  readonly score: number;
  /** Number of edits. With several references of a sentence: of the one with the fewest. */
  readonly edits: number;
  /** Number of words of the references: of a sentence with several, their mean. */
  readonly referenceLength: number;
  /** sacreBLEU's signature without its version: `nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no`. */
  readonly signature: string;
}

const optionNames = ['lowercase', 'normalize', 'punctuation', 'asian'];

/** TER of a corpus as counts of its sentences: edits, and words of the reference. */
export function terStatistics(
  translations: readonly string[],
  references: References,
  options: TerOptions = {},
): SentenceStatistics {
  checkNames({ area: 'ter' }, optionNames, Object.keys(options));
  const { lowercase = true, normalize = false, punctuation = true, asian = false } = options;
  const given = givenReferences('ter', translations, references);
  const words = (text: string) =>
    splitWords(tokenized(trimEnd(text), { lowercase, normalize, punctuation, asian }));
  const rows = translations.map((translation, i) => {
    const hypothesis = words(translation);
    const lists = (given[i] ?? []).map(words);
    const edits = Math.min(...lists.map((reference) => countEdits(hypothesis, reference)));
    return [edits, lists.reduce((sum, { length }) => sum + length, 0) / lists.length];
  });
  const yes = (value: boolean) => (value ? 'yes' : 'no');
  const signature = [
    `nrefs:${countReferences(given)}`,
    `case:${lowercase ? 'lc' : 'mixed'}`,
    'tok:tercom',
    `norm:${yes(normalize)}`,
    `punct:${yes(punctuation)}`,
    `asian:${yes(asian)}`,
  ].join('|');
  return { name: 'TER', signature, rows, score: scoreOf };
}

const scoreOf = ([edits = 0, length = 0]: readonly number[]): number =>
  length > 0 ? (100 * edits) / length : edits > 0 ? 100 : 0;

/**
 * TER of a corpus; lower is better. Throws a HeddleError if the lists differ in length, a sentence has no reference, or an
 * option is unknown.
 *
 * @example
 * corpusTer(['the cat sat'], [['the cat is sitting']]).score; // 50: two edits, four words
 */
export function corpusTer(
  translations: readonly string[],
  references: References,
  options: TerOptions = {},
): TerScore {
  const { rows, signature } = terStatistics(translations, references, options);
  const [edits = 0, referenceLength = 0] = sumsOf(rows);
  return { score: scoreOf([edits, referenceLength]), edits, referenceLength, signature };
}

/** TER of one sentence. Throws a HeddleError if there is no reference. */
export const sentenceTer = (
  translation: string,
  references: readonly string[],
  options: TerOptions = {},
): TerScore => corpusTer([translation], [references], options);

// Limits of the search.
const maxShiftLength = 10;
const maxShiftDistance = 50;
const maxShifts = 1000;

/** Number of edits, shifts included, that make `words` equal to `reference`. */
function countEdits(words: readonly string[], reference: readonly string[]): number {
  if (reference.length === 0) return words.length;
  const distance = new EditDistance(reference);
  let current = words;
  let shifts = 0;
  const tried = { count: 0 };
  for (;;) {
    const best = bestShift(current, reference, distance, tried);
    if (!best || tried.count >= maxShifts || best.gain <= 0) break;
    shifts++;
    current = best.words;
  }
  return shifts + distance.of(current).edits;
}

/** A shift: `length` words from `start` to before the word `target`, and how many edits it saves. */
interface Shift {
  readonly gain: number;
  readonly length: number;
  readonly start: number;
  readonly target: number;
  readonly words: readonly string[];
}

/** The shift that saves most edits; if several do, the longest, then the first. `tried` counts over a sentence. */
function bestShift(
  words: readonly string[],
  reference: readonly string[],
  distance: EditDistance,
  tried: { count: number },
): Shift | undefined {
  const { edits, operations } = distance.of(words);
  const { targetOf, wrongWords, wrongReference } = alignment(operations);
  const isWrong = (flags: readonly boolean[], start: number, length: number) =>
    flags.slice(start, start + length).some(Boolean);
  let best: Shift | undefined;
  for (const [start, at, length] of equalParts(words, reference)) {
    const aligned = targetOf[at] as number;
    if (!isWrong(wrongWords, start, length) || !isWrong(wrongReference, at, length)) continue;
    if (start <= aligned && aligned < start + length) continue;
    let before = -1;
    for (let offset = -1; offset < length; offset++) {
      const position = targetOf[at + offset];
      if (at + offset >= 0 && position === undefined) break;
      const target = position === undefined ? 0 : position + 1;
      if (target === before) continue;
      before = target;
      const shifted = shiftedWords(words, start, length, target);
      const gain = edits - distance.of(shifted).edits;
      tried.count++;
      const shift = { gain, length, start, target, words: shifted };
      if (!best || isBetterShift(shift, best)) best = shift;
    }
    if (tried.count >= maxShifts) break;
  }
  return best;
}

const isBetterShift = (a: Shift, b: Shift): boolean => {
  const difference = a.gain - b.gain || a.length - b.length || b.start - a.start || b.target - a.target;
  return difference > 0;
};

/** The words with `length` of them from `start` moved to `target`. */
function shiftedWords(words: readonly string[], start: number, length: number, target: number): string[] {
  const end = start + length;
  const moved = words.slice(start, end);
  if (target < start)
    return [...words.slice(0, target), ...moved, ...words.slice(target, start), ...words.slice(end)];
  const to = target > end ? target : length + target;
  return [...words.slice(0, start), ...words.slice(end, to), ...moved, ...words.slice(to)];
}

/** Parts of `words` that are in `reference`: start, start in the reference, length. */
function* equalParts(
  words: readonly string[],
  reference: readonly string[],
): Generator<readonly [start: number, at: number, length: number]> {
  for (let start = 0; start < words.length; start++)
    for (let at = 0; at < reference.length; at++) {
      if (Math.abs(at - start) > maxShiftDistance) continue;
      for (let length = 1; length <= maxShiftLength; length++) {
        const [word, wanted] = [words[start + length - 1], reference[at + length - 1]];
        if (word === undefined || word !== wanted) break;
        yield [start, at, length];
      }
    }
}
