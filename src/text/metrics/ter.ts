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

/** Options of TER. The defaults are those of sacreBLEU. */
export interface TerOptions {
  /** Whether to ignore case. Default true. */
  readonly lowercase?: boolean;
  /** Whether to split punctuation from words. Default false: words are separated by whitespace. */
  readonly normalize?: boolean;
  /** Whether punctuation counts. Default true. */
  readonly punctuation?: boolean;
  /**
   * With `normalize`: whether to split Chinese and Japanese characters. Without `punctuation`: whether their punctuation
   * is left out, too. Default false.
   */
  readonly asian?: boolean;
}

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

const asianPunctuation = /([\u3001\u3002\u3008-\u3011\u3014-\u301f\uff61-\uff65\u30fb])/g;
const fullWidthPunctuation = /([\uff0e\uff0c\uff1f\uff1a\uff1b\uff01\uff02\uff08\uff09])/g;

/** Rules of tercom's normalizer for all languages and Western ones, in order. */
const westernRules: readonly (readonly [RegExp, string])[] = [
  [/\n-/g, ''],
  [/\n/g, ' '],
  [/&quot;/g, '"'],
  [/&amp;/g, '&'],
  [/&lt;/g, '<'],
  [/&gt;/g, '>'],
  [/^|$/g, ' '],
  [/([{-~[-` -&(-+:-@/])/g, ' $1 '],
  [/'s /g, " 's "],
  [/'s$/g, " 's"],
  [/([^0-9])([.,])/g, '$1 $2 '],
  [/([.,])([^0-9])/g, ' $1 $2'],
  [/([0-9])(-)/g, '$1 $2 '],
];

/** Rules for Chinese and Japanese. Kana are split only as a whole text, as in sacreBLEU. */
const asianRules: readonly (readonly [RegExp, string])[] = [
  [/([\u4e00-\u9fff\u3400-\u4dbf])/g, ' $1 '],
  [/([\u31c0-\u31ef\u2e80-\u2eff])/g, ' $1 '],
  [/([\u3300-\u33ff\uf900-\ufaff\ufe30-\ufe4f])/g, ' $1 '],
  [/([\u3200-\u3f22])/g, ' $1 '],
  [/(^|^[\u3040-\u309f])([\u3040-\u309f]+)(?=$|^[\u3040-\u309f])/g, '$1 $2 '],
  [/(^|^[\u30a0-\u30ff])([\u30a0-\u30ff]+)(?=$|^[\u30a0-\u30ff])/g, '$1 $2 '],
  [/(^|^[\u31f0-\u31ff])([\u31f0-\u31ff]+)(?=$|^[\u31f0-\u31ff])/g, '$1 $2 '],
  [asianPunctuation, ' $1 '],
  [fullWidthPunctuation, ' $1 '],
];

/** A text as tercom's tokenizer makes it. */
function tokenized(text: string, { lowercase, normalize, punctuation, asian }: Required<TerOptions>): string {
  let line = lowercase ? text.toLowerCase() : text;
  const apply = (rules: readonly (readonly [RegExp, string])[]) => {
    for (const [pattern, by] of rules) line = line.replace(pattern, by);
  };
  if (normalize) apply(asian ? [...westernRules, ...asianRules] : westernRules);
  if (!punctuation)
    apply([
      [/[.,?:;!"()]/g, ''],
      ...(asian
        ? ([
            [asianPunctuation, ''],
            [fullWidthPunctuation, ''],
          ] as const)
        : []),
    ]);
  return line;
}

// Limits of the search.
const maxShiftLength = 10;
const maxShiftDistance = 50;
const maxShifts = 1000;
const beamWidth = 25;

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

/**
 * What an edit does, as a path in the matrix of distances: keep or substitute a word, remove a word that the reference
 * lacks, insert a word of the reference.
 */
const [keep, substitute, remove, insert] = [1, 2, 3, 4] as const;

/**
 * What operations say: `targetOf`: for each word of the reference the index of its word, or of the word before it (-1 at
 * the start); `wrongWords` and `wrongReference`: which words differ.
 */
function alignment(operations: readonly number[]) {
  const targetOf: number[] = [];
  const [wrongWords, wrongReference]: [boolean[], boolean[]] = [[], []];
  for (const operation of operations) {
    if (operation !== insert) wrongWords.push(operation !== keep);
    if (operation === remove) continue;
    targetOf.push(wrongWords.length - 1);
    wrongReference.push(operation !== keep);
  }
  return { targetOf, wrongWords, wrongReference };
}

/** Rows of a prefix of words, and those that follow by their word. */
interface Prefix {
  /** Cost of each column of its last row, and the last operation of it. */
  readonly costs: Int32Array;
  readonly operations: Uint8Array;
  readonly next: Map<string, Prefix>;
}

/** A cost that no path has. */
const unreached = 2 ** 30;
/** Maximum number of rows that are kept for a sentence. */
const maxRows = 10_000;

/**
 * Edit distances of lists of words to a reference, on a band around the diagonal. Lists of one length that begin alike
 * share the rows of their beginning.
 */
class EditDistance {
  readonly #reference: readonly string[];
  readonly #first: Prefix;
  #rows = 0;

  constructor(reference: readonly string[]) {
    this.#reference = reference;
    this.#first = {
      costs: Int32Array.from({ length: reference.length + 1 }, (_, j) => j),
      operations: new Uint8Array(reference.length + 1).fill(insert),
      next: new Map(),
    };
  }

  /** The number of edits, and the operations from the first word to the last. All lists have one length. */
  of(words: readonly string[]): { readonly edits: number; readonly operations: readonly number[] } {
    const columns = this.#reference.length;
    let prefix = this.#first;
    const rows = [prefix];
    for (const [i, word] of words.entries()) {
      let next = prefix.next.get(word);
      if (!next) {
        next = this.#rowAfter(prefix, word, i + 1, words.length);
        if (this.#rows++ < maxRows) prefix.next.set(word, next);
      }
      rows.push(next);
      prefix = next;
    }
    const operations: number[] = [];
    for (let [i, j] = [words.length, columns]; i > 0 || j > 0; ) {
      const operation = rows[i]?.operations[j] as number;
      operations.push(operation);
      if (operation !== insert) i--;
      if (operation !== remove) j--;
    }
    return { edits: prefix.costs[columns] as number, operations: operations.reverse() };
  }

  /** Row `i` of `count`, of the word `word`. */
  #rowAfter({ costs: above }: Prefix, word: string, i: number, count: number): Prefix {
    const columns = this.#reference.length;
    const ratio = columns / count;
    const width = beamWidth < ratio / 2 ? Math.ceil(ratio / 2 + beamWidth) : beamWidth;
    const diagonal = Math.floor(i * ratio);
    const end = i === count ? columns + 1 : Math.min(columns + 1, diagonal + width);
    const costs = new Int32Array(columns + 1).fill(unreached);
    const operations = new Uint8Array(columns + 1);
    for (let j = Math.max(0, diagonal - width); j < end; j++) {
      let [cost, operation] = [unreached, 0];
      // The first of equal costs counts.
      if (j > 0) {
        const isEqual = word === this.#reference[j - 1];
        cost = (above[j - 1] as number) + (isEqual ? 0 : 1);
        operation = isEqual ? keep : substitute;
      }
      if ((above[j] as number) + 1 < cost) [cost, operation] = [(above[j] as number) + 1, remove];
      if (j > 0 && (costs[j - 1] as number) + 1 < cost)
        [cost, operation] = [(costs[j - 1] as number) + 1, insert];
      if (cost >= unreached) continue;
      costs[j] = cost;
      operations[j] = operation;
    }
    return { costs, operations, next: new Map() };
  }
}
