// Word alignment by a lexicon: IBM model 1 (Brown et al., 1993) with the prior of fast_align for the diagonal (Dyer et
// al., 2013). Small and exact enough for augmentation and guided alignment; no tool for millions of pairs.

import type { Steps } from '../../../core/steps.ts';
import type { WordLinks } from '../../../decode/word-links.ts';
import type { Pair } from '../../../text/corpus/pairs.ts';
import type { TextTaskKind } from '../../../text/text-tasks.ts';
import { wordsOf } from '../../../text/tokenizers/token-words.ts';

/** Translation probabilities of words, sparse, by source word; plain data. Word 0 of the source is "no word". */
export interface LexiconData {
  readonly source: readonly string[];
  readonly target: readonly string[];
  /** Entries of source word i: `starts[i]` to `starts[i + 1] - 1`, by target word. */
  readonly starts: Uint32Array;
  readonly targets: Uint32Array;
  readonly probabilities: Float32Array;
}

/** Passes over the pairs, words of a side that are read, and the smallest probability that is kept. */
const [iterations, maxWords, minProbability] = [5, 64, 1e-3];
/** Prior of "no word", and how fast the prior falls beside the diagonal; as in fast_align. */
const [noneShare, tension] = [0.08, 4];

/** What a lexicon knows a word by: lower case, without punctuation around it. */
const keyOf = (word: string): string =>
  word.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '') || word;

/** How a lexicon knows words. */
export interface LexiconOptions {
  /** Whether words are taken as they are, such as the pieces of a tokenizer. [false: lower case, no punctuation] */
  readonly exact?: boolean;
}

/** Prior of source word i of m for target word j of n, not normalized. */
const diagonal = (i: number, m: number, j: number, n: number): number =>
  Math.exp(-tension * Math.abs((i + 0.5) / m - (j + 0.5) / n));

/** Numbers words in the order of their appearance. */
class Vocabulary {
  readonly words: string[];
  readonly #ids = new Map<string, number>();
  readonly #keyOf: (word: string) => string;

  constructor(key: (word: string) => string, ...first: string[]) {
    this.words = first;
    this.#keyOf = key;
  }

  idsOf(text: string): Uint32Array {
    return Uint32Array.from(wordsOf(text).slice(0, maxWords), (word) => {
      const key = this.#keyOf(word);
      let id = this.#ids.get(key);
      if (id === undefined) {
        id = this.words.length;
        this.words.push(key);
        this.#ids.set(key, id);
      }
      return id;
    });
  }
}

/** Trains a lexicon in steps, by expectation maximization. The same pairs give the same lexicon. */
export function* lexiconSteps(
  pairs: readonly Pair[],
  { exact = false }: LexiconOptions = {},
): Steps<LexiconData> {
  const key = exact ? (word: string) => word : keyOf;
  const source = new Vocabulary(key, '');
  const target = new Vocabulary(key);
  const total = (iterations + 1) * pairs.length;
  const texts: (readonly [Uint32Array, Uint32Array])[] = [];
  // Each pair of words that occurs in one pair of sentences is a cell.
  const cells = new Map<number, number>();
  const rows: Uint32Array[] = [];
  for (const [done, pair] of pairs.entries()) {
    if (done % 512 === 0) yield { task: 'align', done, total };
    const [s, t] = [source.idsOf(pair.source), target.idsOf(pair.target)];
    texts.push([s, t]);
    const row = new Uint32Array((s.length + 1) * t.length);
    for (const [j, word] of t.entries())
      for (let i = 0; i <= s.length; i++) {
        const key = (i === 0 ? 0 : (s[i - 1] as number)) * 2 ** 24 + word;
        let cell = cells.get(key);
        if (cell === undefined) {
          cell = cells.size;
          cells.set(key, cell);
        }
        row[j * (s.length + 1) + i] = cell;
      }
    rows.push(row);
  }
  let probabilities = new Float64Array(cells.size).fill(1 / Math.max(1, target.words.length));
  for (let pass = 1; pass <= iterations; pass++) {
    const counts = new Float64Array(cells.size);
    const sums = new Float64Array(source.words.length);
    for (const [done, [s, t]] of texts.entries()) {
      if (done % 512 === 0) yield { task: 'align', done: pass * pairs.length + done, total };
      countPair(s, t, rows[done] as Uint32Array, probabilities, counts, sums);
    }
    const next = new Float64Array(cells.size);
    for (const [key, cell] of cells)
      next[cell] =
        (counts[cell] as number) / Math.max(Number.MIN_VALUE, sums[Math.floor(key / 2 ** 24)] as number);
    probabilities = next;
  }
  return sparse(source.words, target.words, cells, probabilities);
}

/** Adds the expected counts of a pair of sentences. */
function countPair(
  s: Uint32Array,
  t: Uint32Array,
  row: Uint32Array,
  probabilities: Float64Array,
  counts: Float64Array,
  sums: Float64Array,
): void {
  const m = s.length;
  const weights = new Float64Array(m + 1);
  for (const j of t.keys()) {
    let prior = 0;
    for (let i = 0; i < m; i++) prior += diagonal(i, m, j, t.length);
    let sum = 0;
    for (let i = 0; i <= m; i++) {
      const own = i === 0 ? noneShare : ((1 - noneShare) * diagonal(i - 1, m, j, t.length)) / prior;
      const weight = own * (probabilities[row[j * (m + 1) + i] as number] as number);
      weights[i] = weight;
      sum += weight;
    }
    if (sum === 0) continue;
    for (let i = 0; i <= m; i++) {
      const cell = row[j * (m + 1) + i] as number;
      const share = (weights[i] as number) / sum;
      counts[cell] = (counts[cell] as number) + share;
      const word = i === 0 ? 0 : (s[i - 1] as number);
      sums[word] = (sums[word] as number) + share;
    }
  }
}

/** The entries above `minProbability`, by source word. */
function sparse(
  source: readonly string[],
  target: readonly string[],
  cells: ReadonlyMap<number, number>,
  probabilities: Float64Array,
): LexiconData {
  const kept = [...cells].filter(([, cell]) => (probabilities[cell] as number) >= minProbability);
  kept.sort(([a], [b]) => a - b);
  const starts = new Uint32Array(source.length + 1);
  for (const [key] of kept) {
    const next = Math.floor(key / 2 ** 24) + 1;
    starts[next] = (starts[next] as number) + 1;
  }
  for (let i = 1; i < starts.length; i++) starts[i] = (starts[i] as number) + (starts[i - 1] as number);
  return {
    source,
    target,
    starts,
    targets: Uint32Array.from(kept, ([key]) => key % 2 ** 24),
    probabilities: Float32Array.from(kept, ([, cell]) => probabilities[cell] as number),
  };
}

/** A lexicon as text, as Marian's lex.s2t: lines of target word, source word and probability. */
export function lexicalTable({ source, target, starts, targets, probabilities }: LexiconData): string {
  let text = '';
  for (const [i, word] of source.entries())
    for (let at = starts[i] as number; at < (starts[i + 1] as number); at++) {
      const probability = (probabilities[at] as number).toFixed(6);
      text += `${target[targets[at] as number]} ${i === 0 ? 'NULL' : word} ${probability}\n`;
    }
  return text;
}

/** Aligns words with a lexicon. */
export class WordAligner {
  readonly #data: LexiconData;
  readonly #source: ReadonlyMap<string, number>;
  readonly #target: ReadonlyMap<string, number>;
  readonly #keyOf: (word: string) => string;

  constructor(data: LexiconData, { exact = false }: LexiconOptions = {}) {
    this.#data = data;
    this.#keyOf = exact ? (word) => word : keyOf;
    this.#source = new Map(data.source.map((word, id) => [word, id]));
    this.#target = new Map(data.target.map((word, id) => [word, id]));
  }

  /** The most probable source word of each target word; -1: none. */
  align(source: readonly string[], target: readonly string[]): number[] {
    const known = this.#keyOf;
    const ids = source.map((word) => this.#source.get(known(word)));
    return target.map((word, j) => {
      const id = this.#target.get(known(word));
      const none = noneShare * this.#probability(0, id);
      let prior = 0;
      for (const i of ids.keys()) prior += diagonal(i, ids.length, j, target.length);
      let [best, weight] = [-1, none];
      for (const [i, other] of ids.entries()) {
        // A word that the lexicon does not know may be copied: a name or a number.
        const p = known(word) === known(source[i] as string) ? 1 : this.#probability(other, id);
        const own = ((1 - noneShare) * diagonal(i, ids.length, j, target.length) * p) / prior;
        if (own > weight) [best, weight] = [i, own];
      }
      return best;
    });
  }

  #probability(source: number | undefined, target: number | undefined): number {
    if (source === undefined || target === undefined) return 0;
    const { starts, targets, probabilities } = this.#data;
    let [low, high] = [starts[source] as number, starts[source + 1] as number];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((targets[middle] as number) < target) low = middle + 1;
      else high = middle;
    }
    const isFound = low < (starts[source + 1] as number) && targets[low] === target;
    return isFound ? (probabilities[low] as number) : 0;
  }
}

/**
 * Joins the alignments of both directions (grow-diag, Koehn et al., 2003): the links of both, and neighbours of
 * them that one direction has. `forward[j]` is the source word of target word j, `backward[i]` the target word of
 * source word i; -1: none.
 */
export function symmetrized(forward: readonly number[], backward: readonly number[]): WordLinks {
  const key = (i: number, j: number) => i * forward.length + j;
  const some = new Map<number, readonly [number, number]>();
  for (const [j, i] of forward.entries()) if (i >= 0) some.set(key(i, j), [i, j]);
  for (const [i, j] of backward.entries()) if (j >= 0) some.set(key(i, j), [i, j]);
  const links = new Set(
    [...some].filter(([, [i, j]]) => forward[j] === i && backward[i] === j).map(([at]) => at),
  );
  const [rows, columns] = [new Set<number>(), new Set<number>()];
  const add = (at: number) => {
    const [i, j] = some.get(at) as readonly [number, number];
    links.add(at);
    rows.add(i);
    columns.add(j);
  };
  for (const at of [...links]) add(at);
  for (let grown = true; grown; ) {
    grown = false;
    for (const [at, [i, j]] of some) {
      if (links.has(at) || (rows.has(i) && columns.has(j))) continue;
      const near = [-1, 0, 1].some((a) =>
        [-1, 0, 1].some((b) => j + b >= 0 && j + b < forward.length && links.has(key(i + a, j + b))),
      );
      if (!near) continue;
      add(at);
      grown = true;
    }
  }
  return [...links]
    .map((at) => some.get(at) as readonly [number, number])
    .sort(([i, j], [a, b]) => i - a || j - b);
}

/** `lexiconSteps` as a task of threads. */
export const lexiconTask: TextTaskKind<undefined, readonly Pair[], LexiconData> = {
  name: 'trainLexicon',
  open: () => ({ map: (pairs) => lexiconSteps(pairs) }),
};
